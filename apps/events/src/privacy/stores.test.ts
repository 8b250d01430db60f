import { RETENTION } from '@lethe/contracts';
import { expect, it } from 'vitest';
import { EVENT_MAPPING } from '../index/event.mapping.ts';
import { columnsOf, STORES } from './stores.ts';

it('declares an index per class with its limit, and every field of the mapping', () => {
  expect(STORES.map(({ store, limit }) => [store, 'limitMs' in limit && limit.limitMs])).toEqual(
    (['e1', 'e3', 'e7', 'e14', 'e30'] as const).map((each) => [`events.index-${each}`, RETENTION[each].limitMs]),
  );
  expect(STORES[0]?.columns).toMatchObject({
    id: { kind: 'opaque' },
    'people.subject': { kind: 'opaque' },
    'people.address': { kind: 'personal', category: 'address' },
    'status.reply': { kind: 'personal', category: 'reply' },
    originating_ip: { kind: 'personal', category: 'network' },
  });
});

it('refuses a mapping with a field that is not marked, wherever it is', () => {
  const properties = { ...EVENT_MAPPING.properties, status: { properties: { note: { type: 'keyword' } } } };
  expect(() => columnsOf(properties)).toThrow('status.note is not marked');
});
