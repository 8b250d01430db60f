import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { context } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CommonConfig } from '../config/common-config.ts';
import type { Log } from '../logging/log.ts';
import { metrics } from '../telemetry/metrics.ts';
import type { Certificate } from '../tls/certificate-files.ts';

const OPAQUE = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;

/** The router's own limit is 100: domain names have up to 253 characters, paging cursors more. */
export const LONGEST_PARAMETER = 1_024;

export function httpAdapter(config: CommonConfig, tls?: Certificate): FastifyAdapter {
  return new FastifyAdapter({
    ...(tls ? { https: tls } : {}),
    logger: false,
    trustProxy: config.TRUST_PROXY,
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    // A client's own id could be an address: only opaque ones are taken over.
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && OPAQUE.test(given) ? given : randomUUID();
    },
    // Refused before any route is known; Fastify's own text repeats the path.
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      void reply.status(400).send({ message: 'Bad request' });
    },
    forceCloseConnections: 'idle',
  });
}

/** Request ids, one log line and one measurement per request, by route template. */
export function observeRequests(fastify: FastifyInstance, log: Log): void {
  const duration = metrics.histogram('lethe.http.server.duration', {
    method: METHODS,
    status: STATUS_CLASSES,
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    const rpc = getRPCMetadata(context.active());
    const route = routeOf(request);
    if (rpc && route) rpc.route = route;
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = routeOf(request);
    if (!route?.startsWith('/health')) {
      const { statusCode, elapsedTime } = reply;
      duration.record(elapsedTime, {
        method: request.method as (typeof METHODS)[number],
        status: `${Math.floor(statusCode / 100)}xx` as (typeof STATUS_CLASSES)[number],
      });
      log[statusCode >= 500 ? 'warn' : 'debug']('http.request', {
        method: request.method,
        route: route ?? '/*',
        status: statusCode,
        durationMs: Math.round(elapsedTime),
        requestId: request.id,
      });
    }
    done();
  });
}

function routeOf(request: FastifyRequest): string | undefined {
  return request.routeOptions.url;
}
