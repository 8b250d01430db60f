import { type BeforeApplicationShutdown, Global, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@lethe/database';
import { CONFIG, Log } from '@lethe/service';
import { Publisher } from '../publish/publisher.ts';
import { Outbox } from './outbox.ts';
import type { OutboxConfig } from './outbox-config.ts';
import { OutboxRelay } from './outbox-relay.ts';

class OutboxLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
  ) {}

  onApplicationBootstrap(): void {
    this.outbox.start();
    this.relay.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.relay.stop();
    await this.outbox.stop();
  }
}

/**
 * The outbox of a service on its own database (`DatabaseModule`) and publisher (`KafkaModule`); table: `OUTBOX_UP`, settings:
 * `outboxConfig`.
 */
@Global()
@Module({
  providers: [
    {
      provide: Outbox,
      inject: [Database, Publisher, Log, CONFIG],
      useFactory: (database: Database, publisher: Publisher, log: Log, config: OutboxConfig) =>
        new Outbox(database.pool, publisher, log, { mostPending: config.OUTBOX_MAX_GROUPS }),
    },
    {
      provide: OutboxRelay,
      inject: [Database, Outbox, Log],
      useFactory: (database: Database, outbox: Outbox, log: Log) => new OutboxRelay(database.pool, outbox, log),
    },
    {
      provide: OutboxLifecycle,
      inject: [Outbox, OutboxRelay],
      useFactory: (outbox: Outbox, relay: OutboxRelay) => new OutboxLifecycle(outbox, relay),
    },
  ],
  exports: [Outbox],
})
export class OutboxModule {}
