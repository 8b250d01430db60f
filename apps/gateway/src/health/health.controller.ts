import { Controller, Get, Res } from '@nestjs/common';
import { HealthRegistry, Operation } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { IngestProbe } from './ingest-probe.ts';

/** The public answer to "can mail be handed in here now?". Needs no key, tells no more than which part is missing. */
@Controller('health')
export class PublicHealthController {
  constructor(
    private readonly health: HealthRegistry,
    private readonly ingest: IngestProbe,
  ) {}

  @Operation('Whether mail can be handed in now')
  @Get()
  show(@Res({ passthrough: true }) reply: FastifyReply): { status: string; message: string; missing: string[] } {
    const missing = Object.keys(this.health.readiness().notReady);
    if (!this.ingest.ready) missing.push('ingest');
    if (missing.length === 0) return { status: 'ok', message: 'Mail can be handed in', missing };
    void reply.status(503).header('retry-after', '1');
    return { status: 'unavailable', message: `Not ready: ${missing.join(', ')}`, missing };
  }
}
