import { CONFIG, HealthRegistry } from '@lethe/service';
import { Global, Inject, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { createBodyStore } from './bodies.config.ts';
import { BodyStore } from './store/body-store.ts';

const PROBE_MS = 1000;

/** Gives `BodyStore` to every module of a service whose config has `bodiesConfig`; readiness tells whether it answers. */
@Global()
@Module({
  providers: [
    {
      provide: BodyStore,
      inject: [CONFIG],
      useFactory: createBodyStore,
    },
  ],
  exports: [BodyStore],
})
export class BodiesModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private answers = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(BodyStore) private readonly store: BodyStore,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.health.register({
      name: 'bodies',
      check: () => (this.answers ? { ok: true } : { ok: false, detail: 'unavailable' }),
    });
    await this.probe();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.store.close();
  }

  private async probe(): Promise<void> {
    this.answers = await this.store.answers();
    if (!this.stopped) this.timer = setTimeout(() => void this.probe(), PROBE_MS).unref();
  }
}
