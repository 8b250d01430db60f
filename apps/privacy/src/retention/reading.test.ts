import { HOLDERS } from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { nonsense, shown, SOURCES, type SourceReadings } from './reading.ts';

const NOW = Date.UTC(2026, 10, 28);
const ROUND = 300_000;
const DAY = 86_400;

const of = (source: SourceReadings['source'], measuredAgo: number, oldestAgo: number | null): SourceReadings => ({
  source,
  measuredAt: new Date(NOW - measuredAgo),
  readings: [
    {
      store: `${source}.one`,
      service: 'ingest',
      class: 'body',
      limitSeconds: 7 * DAY,
      oldestAt: oldestAgo === null ? null : new Date(NOW - measuredAgo - oldestAgo),
    },
  ],
});

const line = (readings: SourceReadings[]) => shown(readings, NOW, 2 * ROUND).find(({ class: name }) => name !== null);

describe('a reading', () => {
  it('is well while nothing is older than its limit', () => {
    expect(line([of('ingest', 1_000, 7 * DAY * 1_000)])).toEqual({
      store: 'ingest.one',
      service: 'ingest',
      class: 'body',
      limit_seconds: 7 * DAY,
      oldest_at: new Date(NOW - 1_000 - 7 * DAY * 1_000).toISOString(),
      age_seconds: 7 * DAY,
      measured_at: new Date(NOW - 1_000).toISOString(),
      ok: true,
    });
    expect(line([of('ingest', 1_000, 7 * DAY * 1_000 + 1_000)])).toMatchObject({ age_seconds: 7 * DAY + 1, ok: false });
  });

  it('of an empty store is shown', () => {
    expect(line([of('ingest', 0, null)])).toMatchObject({ oldest_at: null, age_seconds: null, ok: true });
  });

  it('older than two rounds proves nothing', () => {
    expect(line([of('ingest', 2 * ROUND, null)])?.ok).toBe(true);
    expect(line([of('ingest', 2 * ROUND + 1, null)])?.ok).toBe(false);
  });

  it('of a clock that was ahead proves nothing either', () => {
    expect(line([of('ingest', -60_000, null)])?.ok).toBe(true);
    expect(line([of('ingest', -60_001, null)])?.ok).toBe(false);
  });

  it('is missed from everybody who measures', () => {
    const silent = shown([of('topics', 0, null)], NOW, ROUND).filter(({ measured_at }) => measured_at === null);
    expect(silent.map(({ store }) => store)).toEqual(SOURCES.filter((name) => name !== 'topics'));
    expect(silent.every(({ ok }) => !ok)).toBe(true);
    expect(SOURCES).toEqual(expect.arrayContaining([...HOLDERS]));
  });

  it('of who has nothing with a limit is no line', () => {
    expect(shown([{ source: 'accounts', measuredAt: new Date(NOW), readings: [] }], NOW, ROUND)).not.toContainEqual(
      expect.objectContaining({ service: 'accounts' }),
    );
  });
});

describe("a holder's reading", () => {
  const reading = { store: 'ingest.body', class: 'body', limitSeconds: 7 * DAY, oldestAt: null };

  it('is believed about its own store, within the limit of its class', () => {
    expect(nonsense('ingest', reading, NOW)).toBeUndefined();
    expect(nonsense('ingest', { ...reading, limitSeconds: DAY }, NOW)).toBeUndefined();
    expect(nonsense('ingest', { ...reading, class: 'idempotency', limitSeconds: DAY }, NOW)).toBeUndefined();
  });

  it('is not believed otherwise', () => {
    expect(nonsense('delivery', reading, NOW)).toBe('not-its-store');
    const future = { ...reading, oldestAt: NOW + 60_001 };
    expect(nonsense('ingest', future, NOW)).toBe('younger-than-its-measurement');
    expect(nonsense('ingest', future, NOW + 1)).toBeUndefined();
    expect(nonsense('ingest', { ...reading, limitSeconds: 7 * DAY + 1 }, NOW)).toBe('longer-than-declared');
  });
});
