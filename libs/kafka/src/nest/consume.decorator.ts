import { Inject, SetMetadata } from '@nestjs/common';
import type { Topic } from '@lethe/contracts';
import type { BatchHandler, ConsumeOptions, RecordHandler } from '../consume/binding.ts';

export const CONSUME = Symbol('lethe.kafka.consume');

export interface ConsumeSettings extends ConsumeOptions {
  /** Name of the method of the same class that takes over records unfinished after `spillAfterMs` (`SpillHandler`). */
  spill?: string;
  /** Name of the property of the same class that holds `concurrency`, where it comes from the config. */
  concurrencyFrom?: string;
}
export interface ConsumeMark {
  topic: Topic;
  settings: ConsumeSettings;
}

type Handler<T extends Topic, S extends ConsumeSettings> = S extends { batch: object }
  ? BatchHandler<T>
  : RecordHandler<T>;

/** Makes a provider's method the handler of a topic: `handle(record): Promise<Outcome>`, or with `batch` of an array. */
export function Consume<T extends Topic, const S extends ConsumeSettings>(topic: T, settings: S) {
  return (target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<Handler<T, S>>): void => {
    SetMetadata<symbol, ConsumeMark>(CONSUME, { topic, settings })(target, key, descriptor);
  };
}

export const tableToken = (topic: Topic): string => `lethe.kafka.table.${topic.name}`;

/** `@InjectTable(DOMAIN_SETTINGS) domains: LocalTable<typeof DOMAIN_SETTINGS>` */
export const InjectTable = (topic: Topic): ParameterDecorator & PropertyDecorator => Inject(tableToken(topic));
