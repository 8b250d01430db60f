import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors/api-error.ts';
import type { IdentityVerifier } from './identity-verifier.ts';
import type { Identity } from './identity.ts';
import { PUBLIC } from './public.decorator.ts';

type IdentifiedRequest = FastifyRequest & { identity?: Identity };

/** Lets a request through when the gateway signed it for this service. */
export class IdentityGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: IdentityVerifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Kafka handlers run through guards too; who may write a topic is the broker's matter.
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<IdentifiedRequest>();
    const token = /^Bearer (\S{1,4096})$/.exec(request.headers.authorization ?? '')?.[1];
    const claims = token && (await this.verifier.verify(token));
    if (!claims) throw new ApiError(401, 'This call needs a valid identity from the gateway');
    request.identity = { ...claims, requestId: request.id };
    return true;
  }
}

/** The caller of this request: `@Caller() caller: Identity`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Identity =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** The same, where a handler gives its request to others. */
export function callerOf(request: FastifyRequest): Identity {
  const { identity } = request as IdentifiedRequest;
  if (!identity) throw new ApiError(401, 'This call needs a valid identity from the gateway');
  return identity;
}
