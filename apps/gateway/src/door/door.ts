import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG, IdentitySigner, type Claims } from '@lethe/service';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Gatekeeper, NOBODY } from '../access/gatekeeper.ts';
import type { GatewayConfig } from '../config.ts';
import { inward } from '../proxy/headers.ts';
import { codingOf } from '../proxy/inflate.ts';
import { ServiceLinks } from '../proxy/service-links.ts';
import { patternsOf, ROUTES } from '../routing/routes.ts';
import type { Route } from '../routing/routes.ts';

/**
 * A request's way in: route → who is it → may they → not too large → on to the service, signed. Bodies are never read
 * here, only passed and inflated on the way, so that the door holds as much of 1 KiB as of 25 MiB.
 */
@Injectable()
export class Door {
  constructor(
    @Inject(CONFIG) private readonly config: GatewayConfig,
    private readonly gatekeeper: Gatekeeper,
    private readonly signer: IdentitySigner,
    private readonly links: ServiceLinks,
  ) {}

  /** Registers every row of the routing table; anything else is a 404. */
  async open(fastify: FastifyInstance): Promise<void> {
    await fastify.register(async (door) => {
      door.removeAllContentTypeParsers();
      door.addContentTypeParser('*', (_request, _body, done) => done(null));
      // Asked late, because the service's own handler is set after this one.
      door.setErrorHandler((error, request, reply) => fastify.errorHandler(error as FastifyError, request, reply));
      for (const route of ROUTES) {
        const handler = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
          this.pass(request, reply, route);
        for (const url of route.paths.flatMap(patternsOf)) door.route({ method: [...route.methods], url, handler });
      }
    });
  }

  private async pass(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<void> {
    // A service could resolve `..` to another route than the one that is checked here (RFC 3986 §5.2.4).
    if (DOT_SEGMENT.test(request.raw.url ?? '')) throw new ApiError(404, 'Not found');
    const { domain } = request.params as { domain?: string };
    const { claims, payer } = this.gatekeeper.admit(request, reply, route, domain);
    if (Number(request.headers['content-length'] ?? 0) > this.config.MAX_BODY_BYTES) {
      throw new ApiError(413, 'The request is too large');
    }
    if (codingOf(request.headers) === undefined) {
      void reply.header('accept-encoding', 'gzip');
      throw new ApiError(415, 'Content-Encoding: only gzip is taken');
    }
    const admittedAt = performance.now();
    // It may have waited for its turn, and its key may have been revoked meanwhile.
    const stillAdmitted = (): Claims =>
      performance.now() - admittedAt < ADMITTED_FOR_MS
        ? claims
        : this.gatekeeper.admit(request, reply, route, domain).claims;
    const headers = async (): Promise<Record<string, string>> =>
      inward(request.headers, {
        authorization: `Bearer ${await this.signer.sign(route.service, stillAdmitted())}`,
        'x-request-id': request.id,
        'x-forwarded-for': request.ip,
        'x-forwarded-host': this.config.PUBLIC_URL.host,
        'x-forwarded-proto': this.config.PUBLIC_URL.protocol.slice(0, -1),
      });
    await this.links
      .to(route.service)
      .forward(request, reply, headers, { account: payer, stranger: claims === NOBODY });
  }
}

/** A key is dead within a second of its revocation. */
const ADMITTED_FOR_MS = 500;
const DOT_SEGMENT = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?#]|$)/i;
