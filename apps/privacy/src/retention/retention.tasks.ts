import { CONFIG, Clock, Log } from '@lethe/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ActiveWorker } from '../active/active.worker.ts';
import type { PrivacyConfig } from '../config.ts';
import { HoldersMeter } from './holders.meter.ts';
import type { Source, StoredReading } from './reading.ts';
import { ReadingRepository } from './reading.repository.ts';
import { RetentionWorker } from './retention.worker.ts';
import { TopicsMeter } from './topics.meter.ts';
import { VaultMeter } from './vault.meter.ts';

/** What happens again and again in one replica, each in a loop of its own: a store that is away holds up only its own reading. */
@Injectable()
export class RetentionTasks implements OnApplicationBootstrap {
  constructor(
    @Inject(CONFIG) private readonly config: PrivacyConfig,
    private readonly active: ActiveWorker,
    private readonly holders: HoldersMeter,
    private readonly topics: TopicsMeter,
    private readonly vault: VaultMeter,
    private readonly worker: RetentionWorker,
    private readonly readings: ReadingRepository,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    const { RETENTION_MEASURE_MS: measureMs, RETENTION_WORK_MS: workMs } = this.config;
    this.active.add({ name: 'retention', everyMs: workMs, run: () => this.worker.work() });
    this.active.add({ name: 'measure-holders', everyMs: measureMs, run: () => this.holders.ask() });
    this.active.add({ name: 'measure-topics', everyMs: measureMs, run: () => this.measure('topics', this.topics) });
    this.active.add({ name: 'measure-vault', everyMs: measureMs, run: () => this.measure('vault', this.vault) });
  }

  private async measure(source: Source, meter: { measure(): Promise<StoredReading[]> }): Promise<void> {
    const at = new Date(this.clock.now());
    const readings = await meter.measure();
    await this.readings.save(source, at, readings);
    this.log.debug('retention.measured', { name: source, stores: readings.length });
  }
}
