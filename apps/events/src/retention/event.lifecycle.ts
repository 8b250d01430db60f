import {
  bucketLimit,
  bucketStart,
  EVENT_CLASS_BY_DAYS,
  RETENTION,
  type EventClass,
  type Period,
  type RetentionClass,
} from '@lethe/contracts';

const HOUR = 3_600_000;

/** An index goes this long before its oldest event could reach the limit: time for ILM, or the worker, to look and delete. */
const EARLY_MS = HOUR;

export const EVENT_CLASSES: readonly EventClass[] = Object.values(EVENT_CLASS_BY_DAYS);

export const isEventClass = (retentionClass: RetentionClass): retentionClass is EventClass =>
  (EVENT_CLASSES as readonly RetentionClass[]).includes(retentionClass);

/** When the bucket's index goes. Events of it that come later are dropped. */
export const goesAt = (period: Period): number => bucketLimit(period.class, period.bucket) - EARLY_MS;

export const indexName = (prefix: string, period: Period): string => `${prefix}events-${period.class}-${period.bucket}`;

export type EventPeriod = Period & { readonly class: EventClass };

/** The period an index was made for; `undefined` for a name that is not ours. */
export function periodOfIndex(prefix: string, name: string): EventPeriod | undefined {
  const [, eventClass, bucket] = /^events-([a-z0-9]+)-(\d{10})$/.exec(name.slice(prefix.length)) ?? [];
  const known = EVENT_CLASSES.find((one) => one === eventClass);
  return name.startsWith(prefix) && known && bucket !== undefined ? { class: known, bucket } : undefined;
}

export const policyName = (prefix: string, eventClass: RetentionClass): string => `${prefix}events-${eventClass}`;

/**
 * What ILM does with indices of a class; deploy/elasticsearch/ilm has it as files, for who applies it by hand. `min_age` counts
 * from `origination_date`, the bucket's start.
 */
export function lifecyclePolicy(eventClass: EventClass) {
  const hours = (RETENTION[eventClass].limitMs - EARLY_MS) / HOUR;
  return {
    _meta: { owner: 'events', what: `mail events of class ${eventClass}: limit ${(hours + 1) / 24} d less an hour` },
    phases: { delete: { min_age: `${hours}h`, actions: { delete: {} } } },
  };
}

/** Settings an event index is created with; those of ILM are left out where the cluster has none. */
export const lifecycleSettings = (prefix: string, period: Period) => ({
  'index.lifecycle.name': policyName(prefix, period.class),
  'index.lifecycle.origination_date': bucketStart(period.bucket),
});
