import { logLevel, type logCreator, type LogEntry } from 'kafkajs';
import { kafkaLogCreator, type Log } from '@lethe/service';

const REPEAT_AFTER_MS = 10_000;
const MOST_KINDS = 64;

/** kafkajs logs the same line on every attempt while a broker is away: one per kind and ten seconds passes. */
export function boundedKafkaLogs(log: Log): logCreator {
  const write = kafkaLogCreator(log)();
  const silentUntil = new Map<string, number>();
  return () => (entry: LogEntry) => {
    if (entry.level > logLevel.WARN) return;
    const kind = `${entry.namespace}:${entry.log.message.replace(/[\d"].*/s, '').slice(0, 60)}`;
    const now = performance.now();
    if ((silentUntil.get(kind) ?? 0) > now) return;
    if (silentUntil.size >= MOST_KINDS) silentUntil.clear();
    silentUntil.set(kind, now + REPEAT_AFTER_MS);
    write(entry);
  };
}
