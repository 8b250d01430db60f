import { randomUUID } from 'node:crypto';
import { Catch, HttpException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isUnavailable } from '../logging/error-fields.ts';
import { Log } from '../logging/log.ts';
import { ApiError } from './api-error.ts';
import { validationError } from './validation.ts';

/** Messages for what Nest and Fastify refuse themselves: theirs can repeat the request. */
const REFUSALS: Record<number, string> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'The request took too long',
  413: 'The request is too large',
  414: 'The address of the request is too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
  431: 'The headers of the request are too large',
  503: 'Temporarily unavailable, try again',
};

/** Every error as `application/json` with a string `message` (what Mailgun's clients rely on). */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent || reply.raw.headersSent) {
      // The status is out already: cutting the connection is the only honest end of the body.
      reply.raw.destroy();
      return;
    }
    const answer = toApiError(error) ?? this.unavailable(error, request) ?? this.unexpected(error, request);
    if (answer.retryAfterSeconds !== undefined) {
      void reply.header('retry-after', String(answer.retryAfterSeconds));
    }
    const { type, body } = this.render(answer);
    void reply.status(answer.status).header('content-type', `${type}; charset=utf-8`).send(JSON.stringify(body));
  }

  /** What is sent; a service whose API words errors otherwise has a filter of its own. */
  protected render({ message }: ApiError): { type: string; body: object } {
    return { type: 'application/json', body: { message } };
  }

  private unavailable(error: unknown, request: FastifyRequest): ApiError | undefined {
    if (!isUnavailable(error)) return undefined;
    this.log.warn('http.unavailable', { requestId: request.id, error });
    return new ApiError(503, 'Temporarily unavailable, try again');
  }

  private unexpected(error: unknown, request: FastifyRequest): ApiError {
    const errorId = randomUUID();
    this.log.error('http.failed', { errorId, requestId: request.id, error });
    return new ApiError(500, `Internal error. Quote ${errorId} when you report it.`);
  }
}

function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof z.ZodError) return validationError(error.issues);
  if (isMalformedForm(error)) return new ApiError(400, 'the form cannot be read: check boundary and encoding');
  const status = refusalStatus(error);
  if (status === undefined) return undefined;
  return new ApiError(status, REFUSALS[status] ?? 'The request was refused');
}

/** What busboy says, in plain errors, of a multipart body it cannot take apart. */
const MALFORMED_FORM =
  /^(?:Multipart: Boundary not found|Unexpected end of multipart data|\w+ terminated early due to unexpected end of multipart data)$/;

const isMalformedForm = (error: unknown): boolean => error instanceof Error && MALFORMED_FORM.test(error.message);

function refusalStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return status < 500 || status === 503 ? status : undefined;
  }
  // Fastify's own refusals (body limit, content type, malformed JSON) carry a FST_ code.
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const fastifys = typeof code === 'string' && code.startsWith('FST_');
  return fastifys && typeof statusCode === 'number' && statusCode < 500 ? statusCode : undefined;
}
