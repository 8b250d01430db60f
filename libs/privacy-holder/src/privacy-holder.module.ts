import { PRIVACY_COMMANDS, PRIVACY_REPLIES, type HolderService } from '@lethe/contracts';
import { Publisher } from '@lethe/kafka';
import { Clock, Log } from '@lethe/service';
import { Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common';
import { PersonalDataHolder } from './holder.ts';
import { HolderConsumer } from './holder.consumer.ts';

/** For `KafkaModule.forService`: what a holder consumes and produces. */
export const HOLDER_TOPICS = { consumes: [PRIVACY_COMMANDS], produces: [PRIVACY_REPLIES] } as const;

/**
 * Makes a service a holder of personal data: `holder` answers the commands of `privacy`. What the holder injects comes from
 * `imports`, or from a global module. The service's Kafka declaration needs `HOLDER_TOPICS`; start-up stops without.
 */
@Module({})
export class PrivacyHolderModule {
  static forService(
    service: HolderService,
    holder: Type<PersonalDataHolder>,
    more: Pick<ModuleMetadata, 'imports' | 'providers'> = {},
  ): DynamicModule {
    return {
      module: PrivacyHolderModule,
      imports: more.imports ?? [],
      providers: [
        ...(more.providers ?? []),
        { provide: PersonalDataHolder, useClass: holder },
        {
          provide: HolderConsumer,
          inject: [PersonalDataHolder, Publisher, Clock, Log],
          useFactory: (instance: PersonalDataHolder, publisher: Publisher, clock: Clock, log: Log) =>
            new HolderConsumer(service, instance, publisher, clock, log),
        },
      ],
      exports: [PersonalDataHolder],
    };
  }
}
