import type { KafkaMessage } from 'kafkajs';
import type { PartitionWindow, Slot } from '../window/partition-window.ts';

/** A record a handler has, or waits to have again. */
export class InFlight {
  attempt = 1;
  /** Its result is in: done, buried, spilled, or the partition is lost. */
  settled = false;
  spilling = false;
  readonly since = performance.now();
  nextSpillAt: number;
  retryTimer: NodeJS.Timeout | undefined;
  private readonly abort = new AbortController();

  constructor(
    readonly partition: number,
    readonly window: PartitionWindow<KafkaMessage>,
    readonly slot: Slot<KafkaMessage>,
    spillAfterMs: number,
  ) {
    this.nextSpillAt = this.since + spillAfterMs;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  settle(): void {
    this.settled = true;
    clearTimeout(this.retryTimer);
  }

  /** The result no longer counts here. */
  cancel(): void {
    this.settle();
    this.abort.abort();
  }
}
