import type { KafkaMessage } from 'kafkajs';
import type { Log } from '@lethe/service';
import { countConsumed } from '../metrics.ts';
import { decodeRecord, isHeartbeat, isOfType } from '../records/decode.ts';
import type { ConsumedRecord } from '../records/record.ts';
import type { PartitionWindow } from '../window/partition-window.ts';
import type { Binding } from './binding.ts';
import type { DeadLetters } from './dead-letters.ts';
import { InFlight } from './in-flight.ts';
import { type Outcome, retryDelay } from './outcome.ts';

type Window = PartitionWindow<KafkaMessage>;

const SPILL_CHECK_MS = 500;

/** Hands records of all windows to the handler, as many at once as it allows, turn by turn over the partitions. */
export class Dispatcher {
  private readonly inFlight = new Set<InFlight>();
  private readonly dueAgain: InFlight[] = [];
  private running = 0;
  private held = true;
  private turn = 0;
  private idle: (() => void)[] = [];
  private readonly spillCheck: NodeJS.Timeout;

  constructor(
    private readonly binding: Binding,
    private readonly windows: Map<number, Window>,
    private readonly deadLetters: DeadLetters,
    private readonly log: Log,
    /** `claimed`: records wait for a commit; otherwise one finished. */
    private readonly changed: (partition: number | null, claimed: boolean) => void,
  ) {
    this.spillCheck = setInterval(() => this.spillOverdue(), SPILL_CHECK_MS).unref();
  }

  /** Hands out nothing new until `release`. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.pump();
  }

  pump(): void {
    if (this.held) return;
    while (this.running < this.binding.concurrency) {
      const next = this.dueAgain.shift() ?? this.takeNext();
      if (!next) break;
      if (!next.settled) void this.run(next);
    }
    if (this.binding.claims) this.claimAhead();
  }

  /** Forgets a lost partition's records; handlers still busy with them are told. */
  drop(window: Window): void {
    window.dropped = true;
    for (const item of this.inFlight) {
      if (item.window !== window) continue;
      item.cancel();
      this.inFlight.delete(item);
    }
  }

  /** Resolves when no handler is at work. Records that wait for another attempt are left to the next holder. */
  drain(): Promise<void> {
    this.hold();
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  stop(): void {
    this.hold();
    clearInterval(this.spillCheck);
    for (const item of this.inFlight) item.cancel();
    this.inFlight.clear();
  }

  private takeNext(): InFlight | undefined {
    const windows = [...this.windows];
    for (let step = 0; step < windows.length; step += 1) {
      const [partition, window] = windows[(this.turn + step) % windows.length] ?? [];
      const slot = window?.take();
      if (partition === undefined || !window || !slot) continue;
      this.turn = (this.turn + step + 1) % windows.length;
      const item = new InFlight(partition, window, slot, this.binding.spillAfterMs);
      this.inFlight.add(item);
      return item;
    }
    return undefined;
  }

  /**
   * Claims up to one handler's worth ahead, so that a free handler seldom waits for a commit; not again before half of it
   * is used, so that a commit claims many.
   */
  private claimAhead(): void {
    const { concurrency } = this.binding;
    let ahead = 0;
    for (const window of this.windows.values()) ahead += window.claimedAhead;
    if (ahead > concurrency / 2) return;
    const before = ahead;
    for (let any = true; any && ahead < concurrency;) {
      any = false;
      for (const window of this.windows.values()) {
        if (ahead >= concurrency || !window.claim()) continue;
        ahead += 1;
        any = true;
      }
    }
    if (ahead > before) this.changed(null, true);
  }

  private async run(item: InFlight): Promise<void> {
    this.running += 1;
    try {
      await this.settle(item, await this.attempt(item));
    } finally {
      this.running -= 1;
      if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve();
      this.pump();
    }
  }

  private async attempt(item: InFlight): Promise<Outcome & { detail?: string }> {
    const { topic, passOver } = this.binding;
    const message = item.slot.record;
    if (isHeartbeat(topic, message) || isOfType(passOver, message)) return { kind: 'done' };
    const decoded = decodeRecord(topic, message);
    if ('reason' in decoded) {
      countConsumed(topic.name, 'contract');
      return { kind: 'reject', reason: decoded.reason, detail: decoded.detail };
    }
    const startedAt = performance.now();
    try {
      const outcome = await this.binding.handle(recordOf(item, topic.name, decoded));
      countConsumed(topic.name, outcome.kind === 'reject' ? 'rejected' : outcome.kind, startedAt);
      return outcome;
    } catch (error) {
      countConsumed(topic.name, 'threw', startedAt);
      this.log.error('kafka.handler-threw', { topic: topic.name, handler: this.binding.name, error });
      return { kind: 'retry', reason: 'threw', afterMs: 0 };
    }
  }

  private async settle(item: InFlight, outcome: Outcome & { detail?: string }): Promise<void> {
    if (item.settled) return;
    if (outcome.kind === 'retry') {
      item.retryTimer = setTimeout(() => this.again(item), retryDelay(item.attempt, outcome.afterMs)).unref();
      return;
    }
    if (outcome.kind === 'reject') {
      const source = { topic: this.binding.topic, partition: item.partition, message: item.slot.record };
      await this.deadLetters.bury(source, outcome, item.signal);
      if (item.settled) return;
    }
    this.complete(item);
  }

  private again(item: InFlight): void {
    if (item.settled) return;
    item.attempt += 1;
    this.dueAgain.push(item);
    this.pump();
  }

  private complete(item: InFlight): void {
    item.settle();
    this.inFlight.delete(item);
    item.window.complete(item.slot);
    this.changed(item.partition, false);
  }

  private spillOverdue(): void {
    if (!this.binding.spill || this.held) return;
    const now = performance.now();
    for (const item of this.inFlight) if (!item.spilling && now >= item.nextSpillAt) void this.spill(item);
  }

  private async spill(item: InFlight): Promise<void> {
    const { topic, spill, spillAfterMs } = this.binding;
    const decoded = decodeRecord(topic, item.slot.record);
    if (!spill || 'reason' in decoded) return;
    item.spilling = true;
    try {
      const taken = await spill(recordOf(item, topic.name, decoded));
      if (!taken || item.settled) return;
      countConsumed(topic.name, 'spilled');
      this.complete(item);
      item.cancel();
      this.pump();
    } catch (error) {
      this.log.warn('kafka.spill-failed', { topic: topic.name, handler: this.binding.name, error });
    } finally {
      item.spilling = false;
      item.nextSpillAt = performance.now() + spillAfterMs;
    }
  }
}

function recordOf(
  item: InFlight,
  topic: string,
  decoded: Exclude<ReturnType<typeof decodeRecord>, { reason: string }>,
): ConsumedRecord {
  const { slot, partition, attempt, signal } = item;
  return {
    ...decoded,
    topic,
    partition,
    attempt,
    signal,
    offset: slot.offset,
    key: slot.record.key?.toString() ?? '',
    timestamp: Number(slot.record.timestamp),
    maybeDuplicate: decoded.maybeDuplicate || slot.maybeDuplicate,
  };
}
