import type { z } from 'zod';
import type { Service } from '../services.ts';

/**
 * A topic, declared once. Brokers are provisioned and access lists made from it; producers and consumers are held to its
 * schema by `libs/kafka`.
 */
export interface Topic<S extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly what: string;
  readonly producers: readonly Service[];
  readonly consumers: readonly Service[];
  /** Set where silence of one consumer would break a promise: each of them has a handler, or does not start. */
  readonly everyConsumerAnswers?: string;
  /** What the record key is: always opaque, ids or pseudonyms. */
  readonly key: string;
  /** Set where a pseudonym is part of the key: it is personal (Art. 4(5) GDPR), gone with the key's tombstone. */
  readonly keyMark?: 'pseudonym';
  readonly partitions: number;
  /** Where a record goes by its key, if its producer does not say; absent: by a hash of the key. */
  readonly partitionOf?: (key: string) => number;
  readonly cleanup: TimeLimited | Compacted;
  /** Topic for records no handler could take; same class, retention and erasure as this one. */
  readonly deadLetter: string | null;
  readonly value: S;
}

/** Gone at `limitMs`: `retention.ms + segment.ms + check interval ≤ limit` (design §3). */
export interface TimeLimited {
  readonly kind: 'time-limited';
  readonly limitMs: number;
}

/** Latest value per key; needs the owner's heartbeat each second to forget and to prove freshness. */
export interface Compacted {
  readonly kind: 'compacted';
}

export type ValueOf<T extends Topic> = z.infer<T['value']>;

/** Key and `ce_type` of the heartbeat on compacted topics. */
export const HEARTBEAT_KEY = 'heartbeat';
export const HEARTBEAT_INTERVAL_MS = 1_000;
/** A local table whose last heartbeat is older is not fresh: its reader fails closed. */
export const FRESH_WITHIN_MS = 5_000;

/** CloudEvents metadata (Kafka protocol binding, binary mode) and our own record headers. */
export const HEADERS = {
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  time: 'ce_time',
  specVersion: 'ce_specversion',
  /** Set when a record may have been published before: its delivery is marked, never silently doubled. */
  maybeDuplicate: 'lethe_maybe_duplicate',
  /** On dead letters: reason code and where the record came from. */
  reason: 'lethe_reason',
  sourceTopic: 'lethe_source_topic',
  sourcePartition: 'lethe_source_partition',
  sourceOffset: 'lethe_source_offset',
} as const;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The broker's `log.retention.check.interval.ms` in every environment (deploy/stores). */
export const RETENTION_CHECK_MS = 5 * MINUTE;

/** Kafka settings of a topic, as `name → value`. */
export function topicConfig(topic: Topic): Record<string, string> {
  if (topic.cleanup.kind === 'compacted') {
    return {
      'cleanup.policy': 'compact',
      'segment.ms': String(MINUTE),
      'min.cleanable.dirty.ratio': '0.01',
      'max.compaction.lag.ms': String(MINUTE),
      'delete.retention.ms': String(MINUTE),
    };
  }
  const segmentMs = Math.min(6 * HOUR, topic.cleanup.limitMs / 8);
  return {
    'cleanup.policy': 'delete',
    'segment.ms': String(segmentMs),
    'retention.ms': String(topic.cleanup.limitMs - segmentMs - 2 * RETENTION_CHECK_MS),
    'message.timestamp.type': 'LogAppendTime',
  };
}
