import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { KafkaModule } from '@lethe/kafka';
import { Clock, CONFIG, HealthRegistry, Log } from '@lethe/service';
import { Pool } from 'pg';
import { HOLDER_TOPICS, PersonalDataHolder, PrivacyHolderModule } from '../../src/index.ts';
import { silent, type PrivacySide } from './holder-world.ts';

/** What createService gives every service, and a database. */
@Global()
@Module({})
class Surroundings {
  static of(side: PrivacySide, pool: Pool): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: side.configOf('suppression') },
      { provide: Log, useValue: silent },
      { provide: Clock, useClass: Clock },
      { provide: HealthRegistry, useClass: HealthRegistry },
      { provide: Pool, useValue: pool },
    ];
    return { module: Surroundings, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** `suppression` as a holder, wired as a service wires it. */
export async function startHolder(
  side: PrivacySide,
  pool: Pool,
  holder: Type<PersonalDataHolder>,
): Promise<TestingModule> {
  const module = await Test.createTestingModule({
    imports: [
      Surroundings.of(side, pool),
      KafkaModule.forService({ name: 'suppression', ...HOLDER_TOPICS }),
      PrivacyHolderModule.forService('suppression', holder),
    ],
  }).compile();
  module.get(HealthRegistry).markStarted();
  await module.init();
  return module;
}
