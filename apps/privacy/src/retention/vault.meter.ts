import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import type { StoredReading } from './reading.ts';

/** Measures the keys themselves: they are what every other limit rests on. */
@Injectable()
export class VaultMeter {
  constructor(private readonly keeper: VaultKeeper) {}

  async measure(): Promise<StoredReading[]> {
    const readings = await this.keeper.readings();
    return readings.map(({ oldestAt, ...reading }) => ({
      ...reading,
      service: 'privacy',
      oldestAt: oldestAt === null ? null : new Date(oldestAt),
    }));
  }
}
