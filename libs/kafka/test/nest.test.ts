import { type DynamicModule, Global, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import {
  DOMAIN_SETTINGS,
  EXAMPLES,
  MAIL_ACCEPTED,
  MAIL_EVENTS,
  PRIVACY_COMMANDS,
  TOPICS,
  type MailAccepted,
  type Service,
} from '@lethe/contracts';
import { CONFIG, HealthRegistry, Log } from '@lethe/service';
import {
  Consume,
  done,
  InjectTable,
  KafkaModule,
  LocalTable,
  Publisher,
  type ConsumedRecord,
  type KafkaDeclarations,
  type Outcome,
} from '../src/index.ts';
import { eventually, kafkaWorld, silent, type KafkaWorld } from './support/kafka-world.ts';

let world: KafkaWorld;
beforeAll(async () => {
  world = await kafkaWorld(TOPICS);
});
afterAll(() => world.close());

const [example] = EXAMPLES['mail-accepted'] as [MailAccepted];

@Injectable()
class DispatchConsumer {
  readonly seen: string[] = [];
  readonly freshWhenSeen: boolean[] = [];
  constructor(@InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>) {}

  @Consume(MAIL_ACCEPTED, { concurrency: 10, claims: true, spill: 'park' })
  async handle(record: ConsumedRecord<typeof MAIL_ACCEPTED>): Promise<Outcome> {
    this.seen.push(record.value.messageId);
    this.freshWhenSeen.push(this.domains.ready);
    return done();
  }

  async park(): Promise<boolean> {
    return false;
  }
}

@Injectable()
class SecondConsumer {
  @Consume(MAIL_ACCEPTED, { spill: 'nowhere' })
  async take(_record: ConsumedRecord<typeof MAIL_ACCEPTED>): Promise<Outcome> {
    return done();
  }
}

/** As every service that may hold personal data has one (libs/privacy-holder). */
@Injectable()
class CommandsConsumer {
  @Consume(PRIVACY_COMMANDS, {})
  async answer(_record: ConsumedRecord<typeof PRIVACY_COMMANDS>): Promise<Outcome> {
    return done();
  }
}

@Global()
@Module({})
class Surroundings {
  static of(service: Service): DynamicModule {
    const config = world.client(service).config;
    const providers = [
      { provide: CONFIG, useValue: config },
      { provide: Log, useValue: silent },
      { provide: HealthRegistry, useClass: HealthRegistry },
    ];
    return { module: Surroundings, providers, exports: [CONFIG, Log, HealthRegistry] };
  }
}

async function start(declared: KafkaDeclarations, ...providers: (typeof DispatchConsumer | typeof SecondConsumer)[]) {
  const module = await Test.createTestingModule({
    imports: [Surroundings.of(declared.name), KafkaModule.forService(declared)],
    providers: (declared.consumes ?? []).some(({ name }) => name === PRIVACY_COMMANDS.name)
      ? [...providers, CommandsConsumer]
      : providers,
  }).compile();
  module.get(HealthRegistry).markStarted();
  await module.init();
  return module;
}

const delivery = { name: 'delivery', consumes: [MAIL_ACCEPTED, PRIVACY_COMMANDS], produces: [MAIL_EVENTS] } as const;

it('refuses to start without a handler, with two, with a foreign one, or with a spill method that is not there', async () => {
  await expect(start(delivery)).rejects.toThrow(/mail-accepted has no handler/);
  await expect(start({ ...delivery, tables: [DOMAIN_SETTINGS] }, DispatchConsumer, SecondConsumer)).rejects.toThrow(
    /two handlers in group mail-accepted, (DispatchConsumer\.handle|SecondConsumer\.take) and/,
  );
  await expect(start(delivery, SecondConsumer)).rejects.toThrow(
    /SecondConsumer\.take names the spill method "nowhere"/,
  );
  await expect(start({ name: 'delivery' }, SecondConsumer)).rejects.toThrow(
    /SecondConsumer\.take handles mail-accepted, which is not declared/,
  );
  await expect(start({ name: 'gateway', produces: [MAIL_EVENTS] })).rejects.toThrow(
    /mail-events names no producer "gateway"/,
  );
});

it('refuses to start a service that may hold personal data and answers no command about it', async () => {
  await expect(
    start({ ...delivery, consumes: [MAIL_ACCEPTED], tables: [DOMAIN_SETTINGS] }, DispatchConsumer),
  ).rejects.toThrow(
    /delivery does not answer privacy-commands, and it may hold personal data: import PrivacyHolderModule/,
  );
});

it('runs a service: tables first, then handlers; ready when all stand; and stops in order', async () => {
  // The owner's side keeps the table fresh: heartbeats start by themselves where a compacted topic is produced.
  const accounts = await start({ name: 'accounts', consumes: [PRIVACY_COMMANDS], produces: [DOMAIN_SETTINGS] });
  const domain = z.object({ domainId: z.string() }).loose().parse(EXAMPLES['domain-settings']?.[0]);
  await accounts
    .get(Publisher)
    .publish(DOMAIN_SETTINGS, [{ key: domain.domainId, value: domain as never, id: 'd1', type: 'domain-settings' }]);
  const ingest = await start({ name: 'ingest', consumes: [PRIVACY_COMMANDS], produces: [MAIL_ACCEPTED] });
  const message = (at: number) => ({
    key: `m${at}`,
    value: { ...example, messageId: `m${at}` },
    id: `m${at}`,
    type: 'mail-accepted',
    partition: at % 64,
  });
  await ingest.get(Publisher).publish(
    MAIL_ACCEPTED,
    Array.from({ length: 200 }, (_, at) => message(at)),
  );

  const service = await start({ ...delivery, tables: [DOMAIN_SETTINGS] }, DispatchConsumer);
  const consumer = service.get(DispatchConsumer);
  await eventually('all handled', () => consumer.seen.length === 200);
  expect(new Set(consumer.seen).size).toBe(200);
  expect(consumer.freshWhenSeen.every(Boolean)).toBe(true);
  const health = service.get(HealthRegistry);
  await eventually('ready', () => health.readiness().ready, 8_000);

  await accounts.close();
  await eventually(
    'not ready without the owner',
    () => health.readiness().notReady['table-domain-settings'] === 'not-fresh',
    10_000,
  );

  await ingest.get(Publisher).publish(MAIL_ACCEPTED, [message(900)]);
  await eventually('still handled', () => consumer.seen.includes('m900'));
  await service.close();
  const committed = await world.committed('delivery-mail-accepted', 'mail-accepted');
  expect(committed.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)).toBe(201);
  await ingest.close();
});
