import { Clock, CONFIG, Operation, type Answer } from '@lethe/service';
import { Controller, Get, Inject } from '@nestjs/common';
import type { PrivacyConfig } from '../config.ts';
import { readingsShape, shown } from './reading.ts';
import { ReadingRepository } from './reading.repository.ts';

/** How old the oldest record of each store is. The same for every account: stores are shared, and a reading names nobody. */
@Controller('v1/privacy/retention')
export class RetentionController {
  constructor(
    @Inject(CONFIG) private readonly config: PrivacyConfig,
    private readonly readings: ReadingRepository,
    private readonly clock: Clock,
  ) {}

  @Operation('How old the oldest record of every store is', { answer: readingsShape })
  @Get()
  async show(): Promise<Answer<typeof readingsShape>> {
    const stale = 2 * this.config.RETENTION_MEASURE_MS;
    return { readings: shown(await this.readings.all(), this.clock.now(), stale) };
  }
}
