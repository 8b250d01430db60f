import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { errorFields } from './error-fields.ts';
import { allowedFields } from './fields.ts';
import type { LogFields } from './fields.ts';
import { maskAddresses } from './mask.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const EVENT = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+){0,4}$/;

/** Structured log lines: an event name and the fields `fields.ts` allows, as one JSON object each. */
export class Log {
  private readonly out: Logger;

  constructor(out: Logger) {
    this.out = out;
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
  return new Log(destination ? pino(options, destination) : pino(options));
}
