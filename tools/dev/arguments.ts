/** Settings given as `--with KEY=VALUE`, by whom they are for. */
export interface Settings {
  /** Upper-case names: variables of the services. */
  readonly services: Record<string, string>;
  /** `log.flush.interval.messages` and the like: Kafka's; `postgres.x`, `vault.x`, `elasticsearch.x`: those stores'. */
  readonly stores: Record<'kafka' | 'postgres' | 'vault' | 'elasticsearch', Record<string, string>>;
}

const USAGE =
  'Usage: npm start -- [--with KEY=VALUE]…   e.g. --with OUTBOUND_ROUTE=smtp://127.0.0.1:2525 --with log.flush.interval.messages=1';

export function readArguments(args: readonly string[]): Settings {
  const settings: Settings = { services: {}, stores: { kafka: {}, postgres: {}, vault: {}, elasticsearch: {} } };
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] as string;
    const pair = argument === '--with' ? args[(index += 1)] : /^--with=(.*)$/.exec(argument)?.[1];
    const match = /^([A-Za-z][\w.-]*)=(.*)$/.exec(pair ?? '');
    if (!match)
      throw new Error(`Not understood: ${argument === '--with' ? `--with ${pair ?? ''}` : argument}\n${USAGE}`);
    const [, key, value] = match as unknown as [string, string, string];
    const store = /^(kafka|postgres|vault|elasticsearch)\.(.+)$/.exec(key);
    if (/^[A-Z][A-Z0-9_]*$/.test(key)) settings.services[key] = value;
    else if (store) settings.stores[store[1] as 'kafka'][store[2] as string] = value;
    else settings.stores.kafka[key] = value;
  }
  return settings;
}
