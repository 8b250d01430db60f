import {
  column,
  RETENTION,
  type ColumnMark,
  type EventClass,
  type PersonalCategory,
  type StoreDeclaration,
} from '@lethe/contracts';
import { EVENT_MAPPING } from '../index/event.mapping.ts';
import { EVENT_CLASSES } from '../retention/event.lifecycle.ts';

interface Field {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly meta?: { readonly personal: PersonalCategory | 'no' };
}

/** The leaves of a mapping by their full names. @throws Error naming a field without a mark. */
export function columnsOf(properties: Readonly<Record<string, unknown>>, prefix = ''): Record<string, ColumnMark> {
  return Object.fromEntries(
    Object.entries(properties as Readonly<Record<string, Field>>).flatMap(
      ([name, field]): Array<[string, ColumnMark]> => {
        const full = prefix + name;
        if (field.properties) return Object.entries(columnsOf(field.properties, `${full}.`));
        const personal = field.meta?.personal;
        if (personal === undefined) throw new Error(`${full} is not marked: say in the mapping whether it is personal`);
        return [[full, personal === 'no' ? column.opaque : { kind: 'personal', category: personal }]];
      },
    ),
  );
}

const lasting = (each: EventClass): string => (each === 'e1' ? 'a day' : `${each.slice(1)} days`);

/** The event indices, one declaration per class; their columns are the mapping's fields, marked there. */
export const STORES: readonly StoreDeclaration[] = EVENT_CLASSES.map((each) => ({
  store: `events.index-${each}`,
  owner: 'events',
  kind: 'index',
  what: `events as the events API and support search them, of domains that keep them for ${lasting(each)}; a projection of mail-events`,
  limit: {
    class: each,
    limitMs: RETENTION[each].limitMs,
    mechanism: 'an index per bucket, deleted an hour before the limit by ILM, or by the retention worker of events',
  },
  columns: columnsOf(EVENT_MAPPING.properties),
}));
