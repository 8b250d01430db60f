import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { errorFields } from './error-fields.ts';
import { allowedFields } from './fields.ts';
import type { LogFields } from './fields.ts';
import { maskAddresses } from './mask.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Octets of lines that are written together, and how long one waits for others; at exit all are written. */
const GATHERED = 4_096;
const GATHERED_MS = 100;

const EVENT = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+){0,4}$/;

/** Structured log lines: an event name and the fields `fields.ts` allows, as one JSON object each. */
export class Log {
  private readonly out: Logger;
  private readonly flush: () => void;

  /** `flush`: called behind what must be seen even if the process dies of it. */
  constructor(out: Logger, flush: () => void = () => undefined) {
    this.out = out;
    this.flush = flush;
  }

  debug(event: string, fields?: LogFields): void {
    this.write('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.write('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.write('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.write('error', event, fields);
  }

  private write(level: Exclude<LogLevel, 'silent'>, event: string, fields: LogFields = {}): void {
    if (!this.out.isLevelEnabled(level)) return;
    this.out[level]({
      event: EVENT.test(event) && event.length <= 64 ? event : 'log.not-an-event-name',
      ...allowedFields(fields),
      ...(fields.error === undefined ? {} : { error: errorFields(fields.error) }),
    });
    if (level === 'error' || level === 'warn') this.flush();
  }
}

export interface LogOptions {
  service: string;
  level?: LogLevel;
  /** Standard output when absent. */
  destination?: DestinationStream;
}

export function createLog({ service, level = 'info', destination }: LogOptions): Log {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: maskAddresses },
  };
  if (destination) return new Log(pino(options, destination));
  // A line for each message: a write for each took longer than all the rest of its logging.
  const out = pino.destination({ dest: 1, sync: true, minLength: GATHERED, periodicFlush: GATHERED_MS });
  const flush = (): void => out.flushSync();
  process.once('exit', flush);
  return new Log(pino(options, out), flush);
}
