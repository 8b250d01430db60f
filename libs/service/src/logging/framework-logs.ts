import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.ts';

/**
 * Nest's own log. Its lines are free text that can quote anything, so only where they come from is
 * kept; an error given along is logged as every error is.
 */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Log) {}

  log(_message: unknown, ...rest: unknown[]): void {
    this.logger.debug('nest.log', { context: context(rest) });
  }

  debug(): void {}

  verbose(): void {}

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn('nest.warn', { context: context(rest), error: errorIn([message, ...rest]) });
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error('nest.error', { context: context(rest), error: errorIn([message, ...rest]) });
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

function context(rest: unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}

function errorIn(values: unknown[]): Error | undefined {
  return values.find((value) => value instanceof Error);
}

/** kafkajs' log levels: 1 error, 2 warn, 4 info, 5 debug. */
interface KafkaLogEntry {
  namespace: string;
  level: number;
  log: Record<string, unknown>;
}

/** For kafkajs' `logCreator`: keeps the part of the client, the group and topic, and drops the text. */
export function kafkaLogCreator(log: Log): () => (entry: KafkaLogEntry) => void {
  return () => (entry) => {
    const write = entry.level <= 1 ? 'error' : entry.level === 2 ? 'warn' : 'debug';
    const { groupId, topic, error } = entry.log;
    log[write]('kafka.client', {
      context: entry.namespace || 'Client',
      group: typeof groupId === 'string' ? groupId : undefined,
      topic: typeof topic === 'string' ? topic : undefined,
      reason: kafkaReason(error),
    });
  };
}

const KAFKA_REASONS: [RegExp, string][] = [
  [/ECONNREFUSED|ECONNRESET|connection (?:error|closed|timeout)|socket/i, 'connection'],
  [/timed? ?out/i, 'timeout'],
  [/rebalanc|generation|member/i, 'rebalance'],
  [/coordinator/i, 'coordinator'],
  [/leader|metadata/i, 'metadata'],
  [/authoriz|authentic|sasl/i, 'denied'],
  [/unknown.*topic|topic.*not/i, 'topic'],
];

function kafkaReason(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const text = error instanceof Error ? error.message : error;
  if (typeof text !== 'string') return 'other';
  return KAFKA_REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}
