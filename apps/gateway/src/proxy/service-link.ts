import { ApiError, Semaphore } from '@lethe/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'undici';
import { AccountShares } from './account-shares.ts';
import type { ShareLimits } from './account-shares.ts';
import { outward } from './headers.ts';
import type { InflateLimits } from './inflate.ts';
import { watchProgress } from './progress.ts';
import { bodyOf, discard, smallBody, tooSlow } from './request-body.ts';

export interface LinkLimits {
  /** Connections to the service, kept alive. */
  connections: number;
  /** Requests under way or waiting for a connection; more are refused. */
  inFlight: number;
  /** What of both one account may have. */
  account: ShareLimits;
  /** Time a client may stand still while it is waited for, ms. */
  stallMs: number;
  /** Time for connecting, ms. */
  connectMs: number;
  /** Time from the end of the request to the first byte of the answer, ms. */
  answerMs: number;
  inflate: InflateLimits;
}

/** Whose request it is. */
export interface Sender {
  /** Whose share of the connections it takes. */
  account: string;
  /** Nobody knows them. */
  stranger: boolean;
}

/** For questions of the gateway's own, which must not wait behind customers' requests. */
const OWN_CONNECTIONS = 2;

/** The way to one service: streams a request there and its answer back, both with backpressure, and never sends twice. */
export class ServiceLink {
  private readonly pool: Pool;
  private readonly own: Pool;
  private readonly shares: AccountShares;
  /** Nothing waits in the pool: what a request says about who it is from is not old when it leaves. */
  private readonly turns: Semaphore;
  private inFlight = 0;

  constructor(
    origin: string,
    private readonly limits: LinkLimits,
  ) {
    const options = {
      pipelining: 1,
      headersTimeout: limits.answerMs,
      bodyTimeout: limits.answerMs,
      connect: { timeout: limits.connectMs },
    };
    this.pool = new Pool(origin, { ...options, connections: limits.connections });
    this.own = new Pool(origin, { ...options, connections: OWN_CONNECTIONS });
    this.shares = new AccountShares(limits.account);
    this.turns = new Semaphore(limits.connections);
  }

  /**
   * `headers` are made when it is the request's turn. Throws what these throw, and ApiError: 503 if the service is away, too busy, or silent, 429 if the
   * account has too many requests under way, 408 if the client stands still, or what is wrong with the body; nothing was answered then.
   */
  async forward(
    request: FastifyRequest,
    reply: FastifyReply,
    headers: () => Promise<Record<string, string>>,
    { account, stranger }: Sender,
  ): Promise<void> {
    const { inflate, stallMs } = this.limits;
    const whole = stranger ? await smallBody(request.raw, inflate, stallMs) : undefined;
    if (this.inFlight >= this.limits.inFlight) throw unavailable();
    this.inFlight += 1;
    try {
      await this.shares.run(account, () =>
        this.turns.run(async () => this.stream(request, reply, await headers(), whole)),
      );
    } finally {
      this.inFlight -= 1;
      discard(request.raw);
    }
  }

  private async stream(
    request: FastifyRequest,
    reply: FastifyReply,
    headers: Record<string, string>,
    whole: Buffer | undefined,
  ): Promise<void> {
    const client = reply.raw;
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    client.once('close', abort);
    const unwatch = watchProgress(request.raw, client, this.limits.stallMs, () => gone.abort(tooSlow()));
    try {
      if (client.destroyed) abort();
      await this.pool.stream(
        {
          method: request.method,
          path: request.raw.url ?? '/',
          headers: whole ? { ...headers, 'content-length': String(whole.length) } : headers,
          body: whole ?? bodyOf(request.raw, this.limits.inflate) ?? null,
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
      unwatch();
      client.off('close', abort);
    }
  }

  /** Whether the service says it is ready. Never throws. */
  async ready(timeoutMs: number): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { statusCode, body } = await this.own.request({ method: 'GET', path: '/health/ready', signal });
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
      const { statusCode, body } = await this.own.request({ method: 'GET', path, headers, signal });
      if (statusCode === 200) return await body.json();
      await body.dump();
      return undefined;
    } catch {
      return undefined;
    }
  }

  /** Says something to the service itself, once, and does not mind whether it hears. Never throws. */
  async tell(method: 'POST' | 'PUT', path: string, headers: Record<string, string>, timeoutMs: number): Promise<void> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { body } = await this.own.request({ method, path, headers, signal });
      await body.dump();
    } catch {
      // Said again the next time.
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.own.close()]);
  }
}

const unavailable = (): ApiError => new ApiError(503, 'Temporarily unavailable, try again', { retryAfterSeconds: 5 });
