import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { FRESH_WITHIN_MS, type Topic } from '@lethe/contracts';
import { HeartbeatPublisher, LocalTable, TableReader } from '../src/index.ts';
import { eventually, kafkaWorld, silent, type KafkaWorld } from './support/kafka-world.ts';

const STATE = {
  name: 'state',
  what: 'colours of things',
  producers: ['accounts'],
  consumers: ['delivery'],
  key: 'thing id',
  partitions: 2,
  cleanup: { kind: 'compacted' },
  deadLetter: 'state-dead-letter',
  value: z.object({ colour: z.string() }),
} as const satisfies Topic;

let world: KafkaWorld;
beforeAll(async () => {
  world = await kafkaWorld([STATE]);
});
afterAll(() => world.close());

const row = (key: string, colour: string | null) => ({
  key,
  value: colour === null ? null : { colour },
  id: `${key}-${colour}`,
  type: 'state',
});
function read() {
  const table = new LocalTable(STATE);
  const reader = new TableReader(world.client('delivery'), table, world.deadLetters(world.publisher('delivery', [])));
  reader.start();
  return { table, reader };
}

it('is ready with everything there was, fresh while the owner lives, and not fresh after', async () => {
  const publisher = world.publisher('accounts', [STATE]);
  await publisher.publish(STATE, [
    row('a', 'red'),
    row('b', 'blue'),
    row('a', 'green'),
    row('c', 'white'),
    row('b', null),
  ]);
  const { table, reader } = read();
  const byColour = table.index(({ colour }) => [colour]);
  await eventually('ready', () => table.ready);
  expect([...table.values()].map(({ colour }) => colour).toSorted()).toEqual(['green', 'white']);
  expect(table.get('b')).toBeUndefined();
  expect(byColour.get('red')).toBeUndefined();
  expect(byColour.get('green')).toEqual({ colour: 'green' });
  expect(table.fresh).toBe(false);

  const healthy = { now: true };
  const heartbeats = new HeartbeatPublisher(publisher, 'accounts', [STATE], silent, () => healthy.now);
  heartbeats.start();
  await eventually('fresh', () => table.fresh, 6_000);

  const changes: [string, string | undefined, string | undefined][] = [];
  table.onChange((key, now, before) => changes.push([key, now?.colour, before?.colour]));
  await publisher.publish(STATE, [row('c', null), row('d', 'black')]);
  await eventually('changed', () => table.get('d') !== undefined && table.get('c') === undefined, 2_000);
  expect(changes.toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
    ['c', undefined, 'white'],
    ['d', 'black', undefined],
  ]);
  expect(table.size).toBe(2);

  healthy.now = false;
  const since = performance.now();
  await eventually('stale', () => !table.fresh, FRESH_WITHIN_MS + 1_500);
  expect(performance.now() - since).toBeGreaterThan(FRESH_WITHIN_MS - 2_500);
  expect(table.ready).toBe(true);

  // Another process starts now: the heartbeats it finds are old ones.
  const later = read();
  await eventually('ready', () => later.table.ready);
  expect(later.table.get('d')).toEqual({ colour: 'black' });
  expect(later.table.fresh).toBe(false);
  healthy.now = true;
  await eventually('both fresh again', () => table.fresh && later.table.fresh, 6_000);
  heartbeats.stop();
  await Promise.all([reader.stop(), later.reader.stop()]);
});

it('keeps the old value when a new one breaks the contract, and buries that', async () => {
  const publisher = world.publisher('accounts', [STATE]);
  const { table, reader } = read();
  await publisher.publish(STATE, [row('e', 'pink')]);
  await publisher.sendRaw([{ topic: 'state', message: { key: 'e', value: '{"colour":7}' } }]);
  await publisher.publish(STATE, [row('f', 'grey')]);
  await eventually('went on', () => table.get('f') !== undefined);
  await eventually('buried', async () => (await world.read('state-dead-letter')).length > 0);
  expect(table.get('e')).toEqual({ colour: 'pink' });
  const [letter] = await world.read('state-dead-letter');
  expect(letter?.headers?.['lethe_reason']?.toString()).toBe('contract:colour');
  await reader.stop();
});

it('an empty topic is ready at once', async () => {
  const empty = await kafkaWorld([STATE]);
  const table = new LocalTable(STATE);
  const reader = new TableReader(empty.client('delivery'), table, empty.deadLetters(empty.publisher('delivery', [])));
  reader.start();
  await eventually('ready', () => table.ready, 5_000);
  expect(table.size).toBe(0);
  await reader.stop();
  await empty.close();
});
