import { ApiError } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'undici';
import { outward } from './headers.ts';
import type { InflateLimits } from './inflate.ts';
import { bodyOf, discard } from './request-body.ts';

export interface LinkLimits {
  /** Connections to the service, kept alive. */
  connections: number;
  /** Requests under way or waiting for a connection; more are refused. */
  inFlight: number;
  /** Time for connecting, ms. */
  connectMs: number;
  /** Time from the end of the request to the first byte of the answer, ms. */
  answerMs: number;
  inflate: InflateLimits;
}

/** The way to one service: streams a request there and its answer back, both with backpressure, and never sends twice. */
export class ServiceLink {
  private readonly pool: Pool;
  private inFlight = 0;

  constructor(
    origin: string,
    private readonly limits: LinkLimits,
  ) {
    this.pool = new Pool(origin, {
      connections: limits.connections,
      pipelining: 1,
      headersTimeout: limits.answerMs,
      bodyTimeout: limits.answerMs,
      connect: { timeout: limits.connectMs },
    });
  }

  /** Throws ApiError: 503 if the service is away, too busy, or silent, or what is wrong with the body; nothing was answered then. */
  async forward(request: FastifyRequest, reply: FastifyReply, headers: Record<string, string>): Promise<void> {
    if (this.inFlight >= this.limits.inFlight) throw unavailable();
    const client = reply.raw;
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    client.once('close', abort);
    this.inFlight += 1;
    try {
      await this.pool.stream(
        {
          method: request.method,
          path: request.raw.url ?? '/',
          headers,
          body: bodyOf(request.raw, this.limits.inflate) ?? null,
          signal: gone.signal,
        },
        (answer) => {
          reply.hijack();
          client.writeHead(answer.statusCode, outward(answer.headers, reply.getHeaders()));
          return client;
        },
      );
    } catch (error) {
      // Once the status is out, cutting the connection is the only honest end; and a client that left hears nothing.
      if (client.headersSent || client.destroyed) {
        client.destroy();
        if (!reply.sent) reply.hijack();
      } else throw error instanceof ApiError ? error : unavailable();
    } finally {
      client.off('close', abort);
      this.inFlight -= 1;
      discard(request.raw);
    }
  }

  /** Whether the service says it is ready. Never throws. */
  async ready(timeoutMs: number): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { statusCode, body } = await this.pool.request({ method: 'GET', path: '/health/ready', signal });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }

  /** What the service itself answers with 200, undefined for anything else. Never throws. */
  async readJson(path: string, headers: Record<string, string>, timeoutMs: number): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { statusCode, body } = await this.pool.request({ method: 'GET', path, headers, signal });
      if (statusCode === 200) return await body.json();
      await body.dump();
      return undefined;
    } catch {
      return undefined;
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

const unavailable = (): ApiError => new ApiError(503, 'Temporarily unavailable, try again', { retryAfterSeconds: 5 });
