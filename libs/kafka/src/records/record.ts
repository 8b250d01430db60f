import type { Compacted, Topic, ValueOf } from '@lethe/contracts';

/** A record to publish. `value: null` is a tombstone (compacted topics only). */
export interface OutgoingRecord<T extends Topic> {
  key: string;
  value: ValueOf<T> | (T['cleanup'] extends Compacted ? null : never);
  /** Explicit partition; without it the key decides. */
  partition?: number;
  /** `ce_id`: deterministic where a replay must be recognised. */
  id: string;
  /** `ce_type`. */
  type: string;
  /** `ce_time`, epoch ms; now if absent. */
  time?: number;
  maybeDuplicate?: boolean;
}

/** A record as a handler sees it. */
export interface ConsumedRecord<T extends Topic = Topic> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** Fits the contract; `null` for a tombstone of a compacted topic. */
  readonly value: ValueOf<T> | (T['cleanup'] extends Compacted ? null : never);
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** `ce_time`, epoch ms. */
  readonly time: number;
  /** The broker's time of the record, epoch ms. */
  readonly timestamp: number;
  /** It may have been handed out (before a crash) or published before: an effect outside may already have happened. */
  readonly maybeDuplicate: boolean;
  /** From 1; counts this process's calls of the handler. */
  readonly attempt: number;
  /** Aborted when the result no longer counts: the partition was lost, or the record was spilled. */
  readonly signal: AbortSignal;
}

/** Key, value and headers as they go over the wire and into an outbox row. */
export interface EncodedRecord {
  /** Name without prefix. */
  topic: string;
  key: string;
  partition?: number;
  value: string | null;
  headers: Record<string, string>;
}
