import findMyWay from 'find-my-way';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors/api-error.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
type Method = (typeof METHODS)[number];

/**
 * A path that exists, with another method: 405 and what is allowed (RFC 9110 §15.5.6). The server's own router knows a method's paths
 * but not a path's methods, so a second one is filled beside it.
 */
export function refuseOtherMethods(fastify: FastifyInstance, maxParamLength: number): void {
  const router = findMyWay({ maxParamLength });
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat() as Method[]) {
      if (!router.findRoute(one, url)) router.on(one, url, () => undefined);
    }
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const path = request.is404 ? (request.url.split('?', 1)[0] ?? '') : '';
    const allowed = path === '' ? [] : METHODS.filter((method) => router.find(method, path));
    if (allowed.length === 0) return done();
    void reply.header('allow', allowed.join(', '));
    done(new ApiError(405, 'Method not allowed'));
  });
}
