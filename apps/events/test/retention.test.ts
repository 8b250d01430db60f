import { RETENTION } from '@lethe/contracts';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { IndexerService } from '../src/index/indexer.service.ts';
import { columnsOf, STORES } from '../src/privacy/stores.ts';
import { EVENT_CLASSES, goesAt } from '../src/retention/event.lifecycle.ts';
import { RetentionWorker } from '../src/retention/retention.worker.ts';
import { startSurroundings, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;

let around: Surroundings;
const provided = <T>(type: abstract new (...args: never[]) => T): T =>
  around.app().get(type as never, { strict: false });

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
}, 120_000);
afterAll(() => around?.close());

/** By store: how old the oldest record is, in ms, and how old it may be. */
async function ages(): Promise<Map<string, { age: number | null; limit: number }>> {
  const readings = await provided(PersonalDataHolder).measure();
  return new Map(
    readings.map(({ store, oldestAt, limitSeconds }) => [
      store,
      { age: oldestAt === null ? null : around.clock.now() - oldestAt, limit: limitSeconds * 1_000 },
    ]),
  );
}

describe('the event indices', () => {
  it('have a mark on every field of a live mapping', async () => {
    await around.publish([{ to: 'mapped@people.example' }]);
    await around.indexed(1);
    const mappings = await around.search.call((client) =>
      client.indices.getMapping({ index: `${around.prefix}events-*` }),
    );
    const [live] = Object.values(mappings);
    expect(live?.mappings.dynamic).toBe('strict');
    expect(columnsOf(live?.mappings.properties ?? {})).toEqual(STORES[0]?.columns);
  });

  it('hold nothing older than its limit, whenever one looks, late and replayed events included', async () => {
    const started = Date.now();
    const old = started - 20 * 24 * HOUR;
    const events = await around.publish([
      ...EVENT_CLASSES.map((each) => ({ to: `${each}@people.example`, class: each, at: started })),
      { to: 'old@people.example', at: old },
    ]);
    await around.indexed(1 + EVENT_CLASSES.length + 1);
    expect((await ages()).get('events.index-e30')).toMatchObject({ age: expect.closeTo(20 * 24 * HOUR, -6) as number });

    const moments = events.flatMap(({ period }) => [goesAt(period) - 1, goesAt(period), goesAt(period) + HOUR]);
    const seen = new Map(EVENT_CLASSES.map((each) => [each, 0]));
    for (const moment of moments.filter((each) => each > started).toSorted((a, b) => a - b)) {
      around.clock.stopAt(moment);
      await provided(RetentionWorker).work();
      // Events are published again at any time: a rebuild, a record that was redelivered.
      const outcomes = await provided(IndexerService).indexAll(events);
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        events.map(({ period }) => (moment >= goesAt(period) ? 'past' : 'indexed')),
      );
      await around.documents();
      for (const [store, { age, limit }] of await ages()) {
        expect(age ?? 0, `${store} at ${new Date(moment).toISOString()}`).toBeLessThanOrEqual(limit);
        const [each] = EVENT_CLASSES.filter((one) => store === `events.index-${one}`);
        if (age !== null && each) seen.set(each, Math.max(seen.get(each) ?? 0, age));
      }
    }
    expect(await around.search.indicesOf(`${around.prefix}events-*`)).toEqual([]);
    // And they were not taken much too early: a bucket's oldest record lives to an hour before its limit.
    for (const [each, age] of seen) {
      const { limitMs, bucketMs } = RETENTION[each];
      expect(age, each).toBeGreaterThan(limitMs - HOUR - bucketMs - 2_000);
    }
  });

  it('goes by itself, and takes no index that is not an event index', async () => {
    const stranger = `${around.prefix}events-notes`;
    await around.search.createIndex(stranger);
    const left = () => around.search.indicesOf(`${around.prefix}events-e1-*`);
    around.clock.goOn();
    await around.publish([{ to: 'timer@people.example', class: 'e1' }]);
    await expect.poll(left, { timeout: 60_000 }).toHaveLength(1);
    around.clock.stopAt(Date.now() + 24 * HOUR);
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
    expect(await around.search.indicesOf(stranger)).toEqual([stranger]);
  });
});
