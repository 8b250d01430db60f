import { CONFIG, isUnavailable, Log } from '@lethe/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import { ClosingsWorker } from '../closings/closings.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import { RepliesConsumer } from './holders/replies.consumer.ts';
import { OpenRequestRepository } from './open-request.repository.ts';
import type { OpenRequest } from './request.ts';
import { RequestsService } from './requests.service.ts';
import { RequestSteps } from './steps/request.steps.ts';

/** Unfinished requests looked at, and advanced, at once. The rest come when these are done; each is bounded by its holders. */
const AT_ONCE = 1_000;
const TASK = 'requests';
/** Between attempts at a step that fails. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Takes every unfinished request as far as it goes, side by side, in the one active replica. Where a request is, is in the
 * database alone: killed anywhere, whoever becomes active goes on from there.
 */
@Injectable()
export class RequestWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly atWork = new Map<string, Promise<void>>();
  /** Requests whose last step failed, and when they are tried again (monotonic ms). */
  private readonly heldUp = new Map<string, { failures: number; until: number }>();

  constructor(
    private readonly active: ActiveWorker,
    private readonly requests: OpenRequestRepository,
    private readonly steps: RequestSteps,
    private readonly orders: RequestsService,
    private readonly closings: ClosingsWorker,
    private readonly replies: RepliesConsumer,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: PrivacyConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.active.add({ name: TASK, everyMs: this.config.REQUEST_POLL_MS, run: (signal) => this.look(signal) });
    this.orders.onReceived(() => this.active.wake(TASK));
    this.closings.onReceived(() => this.active.wake(TASK));
    this.replies.onReply(() => this.active.wake(TASK));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.atWork.values());
  }

  /** Does not wait for what it begins: one request that takes long holds up no other. */
  private async look(signal: AbortSignal): Promise<void> {
    for (const request of await this.requests.all(AT_ONCE)) {
      if (signal.aborted) return;
      if (this.atWork.has(request.id) || (this.heldUp.get(request.id)?.until ?? 0) > performance.now()) continue;
      const work = this.advance(request, signal).finally(() => this.atWork.delete(request.id));
      this.atWork.set(request.id, work);
    }
  }

  private async advance(found: OpenRequest, signal: AbortSignal): Promise<void> {
    try {
      for (let request: OpenRequest | undefined = found; request && !signal.aborted;) {
        const moved: boolean = await this.steps.of(request).run(request);
        this.heldUp.delete(found.id);
        if (!moved) return;
        request = await this.requests.one(request.id);
      }
    } catch (error) {
      // It stays where it is, and is tried again.
      const failures = (this.heldUp.get(found.id)?.failures ?? 0) + 1;
      const wait = Math.min(LONGEST_WAIT_MS, this.config.REQUEST_POLL_MS * 2 ** Math.min(failures - 1, 10));
      this.heldUp.set(found.id, { failures, until: performance.now() + wait });
      const level = isUnavailable(error) ? 'warn' : 'error';
      this.log[level]('privacy.request-held-up', { requestId: found.id, error });
    }
  }
}
