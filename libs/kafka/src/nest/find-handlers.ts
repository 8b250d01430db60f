import type { DiscoveryService } from '@nestjs/core';
import { bind, type BatchHandler, type Binding, type RecordHandler, type SpillHandler } from '../consume/binding.ts';
import { CONSUME, type ConsumeMark } from './consume.decorator.ts';
import type { FoundHandler } from './declarations.ts';

type Method = (...args: never[]) => unknown;

/** Every provider method with `@Consume`, bound to its instance. */
export function findHandlers(discovery: DiscoveryService): (FoundHandler & { binding: Binding })[] {
  return discovery.getProviders().flatMap(({ instance }: { instance: unknown }) => {
    if (typeof instance !== 'object' || instance === null) return [];
    return [...methods(instance)].flatMap(([key, method]) => {
      const mark = Reflect.getMetadata(CONSUME, method) as ConsumeMark | undefined;
      return mark ? [found(instance, key, method, mark)] : [];
    });
  });
}

function found(instance: object, key: string, method: Method, { topic, settings }: ConsumeMark) {
  const { spill: spillName, concurrencyFrom, ...options } = settings;
  if (concurrencyFrom !== undefined)
    options.concurrency = (instance as Record<string, number>)[concurrencyFrom] as number;
  const spill = spillName === undefined ? undefined : [...methods(instance)].find(([name]) => name === spillName)?.[1];
  const name = `${instance.constructor.name}.${key}`;
  const binding = bind({
    topic,
    name,
    options,
    handle: method.bind(instance) as RecordHandler | BatchHandler,
    spill: spill?.bind(instance) as SpillHandler | undefined,
  });
  const missing = spillName !== undefined && !spill ? { missingSpill: spillName } : {};
  return { topic, group: binding.group, name, binding, ...missing };
}

function* methods(instance: object): Iterable<[string, Method]> {
  for (let prototype = prototypeOf(instance); prototype; prototype = prototypeOf(prototype)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function' && key !== 'constructor') yield [key, value as Method];
    }
  }
}

function prototypeOf(object: object): object | null {
  const prototype = Object.getPrototypeOf(object) as object | null;
  return prototype === Object.prototype ? null : prototype;
}
