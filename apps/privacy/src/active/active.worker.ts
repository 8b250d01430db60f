import { isUnavailable, Log } from '@lethe/service';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ActiveLock } from './active.lock.ts';

/** Between attempts to become the active replica. */
const RETRY_MS = 250;

/** Between two looks of a task that is woken all the time: what comes meanwhile is one look. */
const BREATH_MS = 25;

/** After a fault that trying again at once does not cure. */
const FAULT_MS = 5_000;

/** Work that one replica at a time does, again and again. */
export interface ActiveTask {
  readonly name: string;
  readonly everyMs: number;
  /** Does what there is to do now. `signal`: this replica is not the active one any more. May be repeated at any time. */
  run(signal: AbortSignal): Promise<void>;
}

/** Runs tasks in the one replica that holds the lock, each in a loop of its own, so that none waits for another. */
@Injectable()
export class ActiveWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly tasks = new Map<string, ActiveTask>();
  private readonly sleepers = new Map<string, () => void>();
  /** Woken while they were at work: they look again at once. */
  private readonly wanted = new Set<string>();
  private readonly stopping = new AbortController();
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly lock: ActiveLock,
    private readonly log: Log,
  ) {}

  /** To be called while the application starts. */
  add(task: ActiveTask): void {
    if (this.tasks.has(task.name)) throw new Error(`There is a task ${task.name} already`);
    this.tasks.set(task.name, task);
  }

  /** There is something to do: the task looks now, not when its time comes. */
  wake(name: string): void {
    const wake = this.sleepers.get(name);
    if (wake) wake();
    else this.wanted.add(name);
  }

  onApplicationBootstrap(): void {
    this.work = this.run();
  }

  /** Resolves when nothing runs any more. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    for (const wake of this.sleepers.values()) wake();
    await this.lock.release();
    await this.work;
  }

  private async run(): Promise<void> {
    // After all others have added their tasks.
    await new Promise(setImmediate);
    while (!this.stopping.signal.aborted) {
      const lost = await this.take();
      if (lost) await Promise.all([...this.tasks.values()].map((task) => this.repeat(task, lost)));
      await this.sleep('lock', RETRY_MS, this.stopping.signal);
    }
  }

  private async take(): Promise<AbortSignal | undefined> {
    try {
      return await this.lock.take();
    } catch (error) {
      this.log.warn('privacy.lock-not-reached', { error });
      return undefined;
    }
  }

  private async repeat(task: ActiveTask, lost: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([lost, this.stopping.signal]);
    while (!signal.aborted) {
      let wait = task.everyMs;
      try {
        await task.run(signal);
      } catch (error) {
        const away = isUnavailable(error);
        this.log[away ? 'warn' : 'error']('privacy.task-failed', { name: task.name, error });
        // What is away comes back; anything else will not be better in a moment.
        if (!away) wait = Math.max(wait, FAULT_MS);
      }
      await this.sleep(task.name, wait, signal);
    }
  }

  private sleep(name: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const wait = this.wanted.delete(name) ? Math.min(ms, BREATH_MS) : ms;
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.sleepers.delete(name);
        resolve();
      };
      const timer = setTimeout(wake, wait);
      signal.addEventListener('abort', wake);
      this.sleepers.set(name, wake);
    });
  }
}
