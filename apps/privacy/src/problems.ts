import { STATUS_CODES } from 'node:http';
import { type ApiError, ErrorFilter, Log } from '@lethe/service';
import { Catch } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Errors of the privacy API: RFC 9457, with a string `message` besides for clients that know Mailgun's. */
@Catch()
export class ProblemFilter extends ErrorFilter {
  protected override render({ status, message, field }: ApiError): { type: string; body: object } {
    const title = STATUS_CODES[status] ?? 'Error';
    const body = { type: 'about:blank', title, status, detail: message, message };
    return { type: 'application/problem+json', body: field === undefined ? body : { ...body, field } };
  }
}

/** For `startService`: the filter set last is asked first, so it words what the framework refuses too. */
export function answerProblems(app: NestFastifyApplication): void {
  app.useGlobalFilters(new ProblemFilter(app.get(Log)));
}
