import { metrics } from '@opentelemetry/api';

/** Labels are topic names and enumerations only: telemetry is an allow-list (design §4). */
const meter = metrics.getMeter('@lethe/kafka');

const published = meter.createCounter('lethe_kafka_published_records');
const consumed = meter.createCounter('lethe_kafka_consumed_records');
const handling = meter.createHistogram('lethe_kafka_handle_duration', { unit: 's' });

export type PublishResult = 'acknowledged' | 'failed';
export type ConsumeResult = 'done' | 'forgotten' | 'retry' | 'rejected' | 'contract' | 'spilled' | 'threw';

export function countPublished(topic: string, result: PublishResult, records: number): void {
  published.add(records, { topic, result });
}

export function countConsumed(topic: string, result: ConsumeResult, startedAt?: number): void {
  consumed.add(1, { topic, result });
  if (startedAt !== undefined) handling.record((performance.now() - startedAt) / 1_000, { topic });
}

function gauge(name: string, topic: string, read: () => number): void {
  meter.createObservableGauge(name).addCallback((observed) => observed.observe(read(), { topic }));
}

export const observeProduceQueue = (read: () => number): void => gauge('lethe_kafka_produce_queue', 'all', read);
export const observeWindow = (topic: string, read: () => number): void =>
  gauge('lethe_kafka_window_records', topic, read);
export const observeLag = (topic: string, read: () => number): void => gauge('lethe_kafka_lag_records', topic, read);
export const observeTable = (topic: string, read: () => number): void =>
  gauge('lethe_kafka_table_entries', topic, read);
export const observeOutbox = (read: () => number): void => gauge('lethe_kafka_outbox_groups', 'all', read);
