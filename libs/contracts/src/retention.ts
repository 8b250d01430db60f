/**
 * Retention classes and their time buckets (design §4 and §7). A bucket is the unit that is destroyed: one period secret
 * in the vault, one Elasticsearch index, one partition of the body store. Limits are upper bounds: a bucket is gone
 * before its *oldest* record is `limitMs` old.
 */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const RETENTION = {
  e1: { limitMs: 1 * DAY, bucketMs: 4 * HOUR },
  e3: { limitMs: 3 * DAY, bucketMs: 12 * HOUR },
  e7: { limitMs: 7 * DAY, bucketMs: DAY },
  e14: { limitMs: 14 * DAY, bucketMs: DAY },
  e30: { limitMs: 30 * DAY, bucketMs: DAY },
  queue: { limitMs: 7 * DAY, bucketMs: 6 * HOUR },
  body: { limitMs: 7 * DAY, bucketMs: 6 * HOUR },
  /** Bodies of an account that has instructed us in writing to keep them for longer (Art. 28(3)(a) GDPR). */
  instructed: { limitMs: 30 * DAY, bucketMs: 6 * HOUR },
} as const;

export type RetentionClass = keyof typeof RETENTION;
export type EventClass = 'e1' | 'e3' | 'e7' | 'e14' | 'e30';

/** Days an account keeps events → the class its events are stamped with (Art. 5(1)(e) GDPR: no longer than necessary). */
export const EVENT_CLASS_BY_DAYS = { 1: 'e1', 3: 'e3', 7: 'e7', 14: 'e14', 30: 'e30' } as const satisfies Record<
  number,
  EventClass
>;
export type EventsDays = keyof typeof EVENT_CLASS_BY_DAYS;

/** A class and one of its buckets, e.g. `{class: 'e30', bucket: '2026112500'}`. */
export interface Period {
  class: RetentionClass;
  bucket: string;
}

/** The id asked for last, by length of buckets: nearly everything asks for the bucket of now. */
const lastBuckets = new Map<number, { start: number; id: string }>();

/** Bucket id of an instant (epoch ms): the bucket's start in UTC as `yyyymmddhh`; sorts by time. */
export function bucketOf(retentionClass: RetentionClass, instantMs: number): string {
  const { bucketMs } = RETENTION[retentionClass];
  const start = Math.floor(instantMs / bucketMs) * bucketMs;
  const last = lastBuckets.get(bucketMs);
  if (last?.start === start) return last.id;
  const id = new Date(start).toISOString().slice(0, 13).replaceAll(/[-T]/g, '');
  lastBuckets.set(bucketMs, { start, id });
  return id;
}

export function periodOf(retentionClass: RetentionClass, instantMs: number): Period {
  return { class: retentionClass, bucket: bucketOf(retentionClass, instantMs) };
}

/** Start of a bucket, epoch ms. Throws `RangeError` on a string that is no bucket id. */
export function bucketStart(bucket: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(bucket);
  if (!match) throw new RangeError('not a bucket id (yyyymmddhh)');
  const [, year, month, day, hour] = match;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour));
}

export function bucketEnd(retentionClass: RetentionClass, bucket: string): number {
  return bucketStart(bucket) + RETENTION[retentionClass].bucketMs;
}

/** When everything of the bucket must be gone: the age limit of its oldest possible record. */
export function bucketLimit(retentionClass: RetentionClass, bucket: string): number {
  return bucketStart(bucket) + RETENTION[retentionClass].limitMs;
}
