import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../identity/public.decorator.ts';
import { HealthRegistry } from './health-registry.ts';
import type { Readiness } from './health-registry.ts';

@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthRegistry) {}

  /** Answering at all is the proof: the event loop turns. */
  @Get('live')
  live(): { live: true } {
    return { live: true };
  }

  @Get('ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): Readiness {
    const readiness = this.health.readiness();
    void reply.status(readiness.ready ? 200 : 503);
    return readiness;
  }
}
