import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { Topic } from '@lethe/contracts';
import type { HealthRegistry } from '@lethe/service';
import type { KafkaClient } from '../client/kafka-client.ts';
import type { DeadLetters } from '../consume/dead-letters.ts';
import { GroupConsumer } from '../consume/group-consumer.ts';
import type { HeartbeatPublisher } from '../heartbeat/heartbeat-publisher.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { LocalTable } from '../tables/local-table.ts';
import { TableReader } from '../tables/table-reader.ts';
import { checkDeclarations, type KafkaDeclarations } from './declarations.ts';
import { findHandlers } from './find-handlers.ts';

const TABLES_POLL_MS = 50;

/**
 * Starts and stops what a service has of Kafka. Start: tables, then consumers once the tables are complete. Stop: consumers
 * (no more records, handlers finish, last commit), tables, heartbeats; then, when nothing publishes any more, the producer.
 */
export class KafkaLifecycle implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private consumers: GroupConsumer[] = [];
  private readers: TableReader<Topic>[] = [];
  private connected = false;
  private stopping = false;

  constructor(
    private readonly declared: KafkaDeclarations,
    private readonly client: KafkaClient,
    private readonly publisher: Publisher,
    private readonly deadLetters: DeadLetters,
    private readonly tables: readonly LocalTable<Topic>[],
    private readonly heartbeats: HeartbeatPublisher,
    private readonly health: HealthRegistry,
    private readonly discovery: DiscoveryService,
  ) {}

  onApplicationBootstrap(): void {
    const found = findHandlers(this.discovery);
    checkDeclarations(this.declared, found);
    this.readers = this.tables.map((table) => new TableReader(this.client, table, this.deadLetters));
    this.consumers = found.map(({ binding }) => new GroupConsumer(this.client, binding, this.deadLetters));
    this.registerHealth();
    void this.start();
  }

  /** Partitions of a consumed topic that this process holds now: for who keeps more work by partition, and takes only these. */
  partitionsOf(topic: Topic): readonly number[] {
    return this.consumers.filter(({ name }) => name === topic.name).flatMap(({ partitions }) => partitions);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    this.heartbeats.stop();
    await Promise.all(this.consumers.map((consumer) => consumer.stop(this.client.config.KAFKA_DRAIN_MS)));
    await Promise.all(this.readers.map((reader) => reader.stop()));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.publisher.close(this.client.config.KAFKA_DRAIN_MS);
    await this.client.close();
  }

  private async start(): Promise<void> {
    void this.connectProducer();
    for (const reader of this.readers) reader.start();
    this.heartbeats.start();
    while (!this.stopping && this.tables.some((table) => !table.ready)) await sleep(TABLES_POLL_MS);
    if (!this.stopping) for (const consumer of this.consumers) consumer.start();
  }

  private async connectProducer(): Promise<void> {
    while (!this.stopping && !this.connected) {
      try {
        await this.publisher.connect();
        this.connected = true;
      } catch (error) {
        this.client.log.warn('kafka.producer-not-connected', { error });
        await sleep(1_000);
      }
    }
  }

  private registerHealth(): void {
    this.health.register({
      name: 'kafka',
      check: () => (this.connected ? { ok: true } : { ok: false, detail: 'not-connected' }),
    });
    for (const consumer of this.consumers) {
      this.health.register({
        name: `kafka-${consumer.name}`,
        check: () => (consumer.ready ? { ok: true } : { ok: false, detail: 'not-in-group' }),
      });
    }
    for (const table of this.tables) {
      this.health.register({
        name: `table-${table.topic.name}`,
        check: () => (table.fresh ? { ok: true } : { ok: false, detail: table.ready ? 'not-fresh' : 'catching-up' }),
      });
    }
  }
}
