import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { Topic } from '@lethe/contracts';
import { CONFIG, HealthRegistry, Log } from '@lethe/service';
import { KafkaClient } from '../client/kafka-client.ts';
import type { KafkaConfig } from '../client/kafka-config.ts';
import { DeadLetters } from '../consume/dead-letters.ts';
import { HeartbeatPublisher } from '../heartbeat/heartbeat-publisher.ts';
import { Publisher } from '../publish/publisher.ts';
import { LocalTable } from '../tables/local-table.ts';
import { tableToken } from './consume.decorator.ts';
import type { KafkaDeclarations } from './declarations.ts';
import { KafkaLifecycle } from './kafka-lifecycle.ts';

/** What a service has of Kafka: `Publisher`, its tables (`@InjectTable`), its handlers (`@Consume`). */
@Global()
@Module({})
export class KafkaModule {
  /** Declares what the service takes and gives; start-up stops where handlers or contracts differ from it. */
  static forService(declared: KafkaDeclarations): DynamicModule {
    const { name, produces = [], tables = [], publishLingerMs } = declared;
    const owned = produces.filter((topic) => topic.cleanup.kind === 'compacted');
    const tableProviders = tables.map((topic): Provider => ({
      provide: tableToken(topic),
      useFactory: () => new LocalTable(topic),
    }));
    return {
      module: KafkaModule,
      imports: [DiscoveryModule],
      providers: [
        {
          provide: KafkaClient,
          inject: [CONFIG, Log],
          useFactory: (config: KafkaConfig, log: Log) => new KafkaClient(name, config, log),
        },
        {
          provide: Publisher,
          inject: [KafkaClient],
          useFactory: (client: KafkaClient) => new Publisher(client, produces, publishLingerMs),
        },
        {
          provide: DeadLetters,
          inject: [Publisher, Log],
          useFactory: (publisher: Publisher, log: Log) => new DeadLetters(publisher, log),
        },
        {
          provide: HeartbeatPublisher,
          inject: [Publisher, Log, HealthRegistry],
          useFactory: (publisher: Publisher, log: Log, health: HealthRegistry) =>
            new HeartbeatPublisher(publisher, name, owned, log, () => health.readiness().ready),
        },
        ...tableProviders,
        {
          provide: KafkaLifecycle,
          inject: [
            KafkaClient,
            Publisher,
            DeadLetters,
            HeartbeatPublisher,
            HealthRegistry,
            DiscoveryService,
            ...tables.map(tableToken),
          ],
          useFactory: (
            client: KafkaClient,
            publisher: Publisher,
            deadLetters: DeadLetters,
            heartbeats: HeartbeatPublisher,
            health: HealthRegistry,
            discovery: DiscoveryService,
            ...held: LocalTable<Topic>[]
          ) => new KafkaLifecycle(declared, client, publisher, deadLetters, held, heartbeats, health, discovery),
        },
      ],
      exports: [KafkaClient, KafkaLifecycle, Publisher, ...tables.map(tableToken)],
    };
  }
}
