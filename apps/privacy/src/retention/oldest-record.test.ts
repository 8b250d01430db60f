import { describe, expect, it } from 'vitest';
import { oldestRecord, type OffsetSource } from './oldest-record.ts';

const NOW = Date.UTC(2026, 10, 28);
const WEEK = 7 * 86_400_000;

/** Partitions of records, each by its timestamp in ms before NOW, in order; `removed` of them are gone from the front. */
function topic(partitions: readonly { ages: readonly number[]; removed?: number }[]) {
  const state = partitions.map(({ ages, removed = 0 }) => ({ times: ages.map((age) => NOW - age), low: removed }));
  const asked = { times: 0 };
  const source: OffsetSource = {
    bounds: async () => state.map(({ times, low }, partition) => ({ partition, low, high: times.length })),
    offsetsAt: async (timestamp) => {
      asked.times += 1;
      return new Map(
        state.map(({ times, low }, partition) => {
          const found = times.findIndex((time, offset) => offset >= low && time >= timestamp);
          return [partition, found === -1 ? times.length : found];
        }),
      );
    },
  };
  return { source, state, asked };
}

const oldest = (source: OffsetSource) => oldestRecord(source, NOW - 2 * WEEK, NOW + 60_000);

describe('the oldest record of a topic', () => {
  it('is found within a second, never younger than it is, in few questions', async () => {
    const { source, asked } = topic([{ ages: [90_000, 5_000] }, { ages: [] }, { ages: [432_123_456, 7] }]);
    const found = await oldest(source);
    expect(found).toBeLessThanOrEqual(NOW - 432_123_456);
    expect(found).toBeGreaterThan(NOW - 432_123_456 - 1_000);
    expect(asked.times).toBeLessThan(25);
  });

  it('is not one that was removed', async () => {
    const { source } = topic([
      { ages: [WEEK, 3_600_000, 5], removed: 1 },
      { ages: [WEEK], removed: 1 },
    ]);
    const found = (await oldest(source)) ?? 0;
    expect(Math.abs(found - (NOW - 3_600_000))).toBeLessThanOrEqual(1_000);
  });

  it('is none where nothing is', async () => {
    expect(await oldest(topic([{ ages: [] }, { ages: [1, 0], removed: 2 }]).source)).toBeNull();
    expect(await oldest(topic([]).source)).toBeNull();
  });

  it('is at most where the search begins', async () => {
    expect(await oldest(topic([{ ages: [3 * WEEK] }]).source)).toBe(NOW - 2 * WEEK);
  });

  it('is looked for again when records were removed meanwhile', async () => {
    const { source, state, asked } = topic([{ ages: [WEEK, 3_600_000] }]);
    const { offsetsAt } = source;
    source.offsetsAt = async (timestamp) => {
      if (asked.times === 2) for (const partition of state) partition.low = 1;
      return offsetsAt(timestamp);
    };
    const found = (await oldest(source)) ?? 0;
    expect(Math.abs(found - (NOW - 3_600_000))).toBeLessThanOrEqual(1_000);
  });
});
