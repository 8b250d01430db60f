import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Global,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Database } from '@lethe/database';
import { Log } from '@lethe/service';
import { Publisher } from '../publish/publisher.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
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

/** The outbox of a service on its own database (`DatabaseModule`) and publisher (`KafkaModule`); table: `OUTBOX_UP`. */
@Global()
@Module({})
export class OutboxModule {
  static forService(options: OutboxOptions): DynamicModule {
    return {
      module: OutboxModule,
      providers: [
        {
          provide: Outbox,
          inject: [Database, Publisher, Log],
          useFactory: (database: Database, publisher: Publisher, log: Log) =>
            new Outbox(database.pool, publisher, log, options),
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
    };
  }
}
