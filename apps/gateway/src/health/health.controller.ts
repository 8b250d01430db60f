import { Controller, Get, Res } from '@nestjs/common';
import { HealthRegistry, Operation, said, type Answer } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { IngestProbe } from './ingest-probe.ts';

const healthShape = said.extend({ status: z.enum(['ok', 'unavailable']), missing: z.array(z.string()) });

/** The public answer to "can mail be handed in here now?". Needs no key, tells no more than which part is missing. */
@Controller('health')
export class PublicHealthController {
  constructor(
    private readonly health: HealthRegistry,
    private readonly ingest: IngestProbe,
  ) {}

  @Operation('Whether mail can be handed in now', { answer: healthShape })
  @Get()
  show(@Res({ passthrough: true }) reply: FastifyReply): Answer<typeof healthShape> {
    const missing = Object.keys(this.health.readiness().notReady);
    if (!this.ingest.ready) missing.push('ingest');
    if (missing.length === 0) return { status: 'ok', message: 'Mail can be handed in', missing };
    void reply.status(503).header('retry-after', '1');
    return { status: 'unavailable', message: `Not ready: ${missing.join(', ')}`, missing };
  }
}
