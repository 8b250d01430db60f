import { randomUUID } from 'node:crypto';
import { isLimited, RETENTION } from '@lethe/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClosingScope, Counts, Erased, ErasureScope } from '../holder.ts';
import type { HolderWorld, PlantedPerson } from './holder-world.ts';

export type { HolderWorld, PlantedPerson } from './holder-world.ts';

export interface ConformanceOptions {
  /** The service holds no person's records: `plant` answers null, and only the neutral cases run. */
  readonly withoutRecords?: boolean;
  /** Of each case. An erasure in Elasticsearch alone takes half a minute (`retention_lease` cycle). */
  readonly timeoutMs?: number;
}

const nobody = (): string => randomUUID();

/** A scope of one request over these subjects, cut off now. `remove`: what an erasure may keep is each holder's own test. */
function scopeOf(accountId: string, ...subjects: string[]): ErasureScope {
  return {
    requestId: randomUUID(),
    accountId,
    subjects: new Set(subjects),
    cutOff: Date.now(),
    doNotContact: 'remove',
  };
}

/** All of an account, without domains: what is kept by domain is each holder's own test. */
const closing = (accountId: string): ClosingScope => ({
  requestId: randomUUID(),
  accountId,
  domains: [],
  cutOff: Date.now(),
});

function sum(...counts: Counts[]): Counts {
  const total: Record<string, number> = {};
  for (const each of counts) for (const [kind, n] of Object.entries(each)) total[kind] = (total[kind] ?? 0) + n;
  return total;
}

const NOTHING = { found: {}, removed: {} };
const counts = ({ found, removed }: Erased) => ({ found, removed });

/**
 * What every `PersonalDataHolder` keeps to, on real stores. Call it once in a service test of the app:
 *
 *     holderConformance('ingest', () => startIngestWorld(inject('stores')));
 *
 * The cases build on each other and share few erasures, because one may take half a minute. What happens when a store is away,
 * and what `doNotContact` keeps, is tested by each holder itself.
 */
export function holderConformance(
  name: string,
  start: () => Promise<HolderWorld>,
  { withoutRecords = false, timeoutMs = 180_000 }: ConformanceOptions = {},
): void {
  describe(`${name} is a holder of personal data`, { timeout: timeoutMs }, () => {
    let world: HolderWorld;
    beforeAll(async () => {
      world = await start();
    }, timeoutMs);
    afterAll(() => world?.close(), timeoutMs);

    const scope = (...people: (PlantedPerson | string)[]) =>
      scopeOf(world.accountId, ...people.map((person) => (typeof person === 'string' ? person : person.subject)));

    neutralCases(() => world, scope);
    const cases = withoutRecords ? casesWithoutPeople : casesWithPeople;
    cases(() => world, scope);
  });
}

type ScopeOf = (...people: (PlantedPerson | string)[]) => ErasureScope;

function neutralCases(world: () => HolderWorld, scope: ScopeOf): void {
  it('measures every store that has a limit, and says null where one is empty', async () => {
    const { holder, stores, neverEmpty = [] } = world();
    const readings = await holder.measure();
    const limits = stores.flatMap(({ store, limit, instructedUntil }) => {
      if (!isLimited(limit)) return [];
      const usual = [`${store} ${limit.class}`, limit.limitMs / 1_000] as const;
      const longer = [`${store} instructed`, RETENTION.instructed.limitMs / 1_000] as const;
      return instructedUntil === undefined ? [usual] : [usual, longer];
    });
    expect(new Map(readings.map((reading) => [`${reading.store} ${reading.class}`, reading.limitSeconds]))).toEqual(
      new Map(limits),
    );
    expect(readings.length, 'one reading per store and class').toBe(limits.length);
    const notEmpty = readings.filter(({ oldestAt }) => oldestAt !== null).map(({ store }) => store);
    expect(new Set(notEmpty), 'the world starts empty').toEqual(new Set(neverEmpty));
  });

  it('finds nothing of someone it never heard of', async () => {
    const stranger = scope(nobody(), nobody());
    expect(await world().holder.verify(stranger)).toEqual({});
    expect(counts(await world().holder.erase(stranger))).toEqual(NOTHING);
  });

  it('fences, also again, and also whom it never heard of', async () => {
    const stranger = scope(nobody());
    await expect(world().holder.fence(stranger)).resolves.toBeUndefined();
    await expect(world().holder.fence(stranger)).resolves.toBeUndefined();
  });
}

function casesWithoutPeople(world: () => HolderWorld): void {
  it('holds no records of anyone', async () => {
    expect(await world().plant()).toBeNull();
    expect(world().kinds).toEqual([]);
  });
}

function casesWithPeople(world: () => HolderWorld, scope: ScopeOf): void {
  let people: PlantedPerson[];
  let neighbour: PlantedPerson;
  let before: unknown;

  const plant = async (): Promise<PlantedPerson> => {
    const person = await world().plant();
    if (person === null) throw new Error('plant() answered null: say { withoutRecords: true } if that is right');
    return person;
  };
  const verify = (...of: PlantedPerson[]) => world().holder.verify(scope(...of));
  const erase = (...of: PlantedPerson[]) => world().holder.erase(scope(...of));
  const planted = (...of: PlantedPerson[]) => sum(...of.map((person) => person.planted));

  it('counts exactly what was planted, of every kind', async () => {
    const { kinds } = world();
    people = [await plant(), await plant(), await plant(), await plant()];
    neighbour = await plant();
    expect(new Set([...people, neighbour].map(({ subject }) => subject)).size).toBe(5);
    for (const person of people) {
      expect(new Set(Object.keys(person.planted)), 'plant() makes every kind').toEqual(new Set(kinds));
      expect(Object.values(person.planted).every((n) => n > 0)).toBe(true);
      expect(await verify(person)).toEqual(person.planted);
    }
    expect(await verify(...people)).toEqual(planted(...people));
  });

  it('measures what is there now', async () => {
    const readings = await world().holder.measure();
    for (const store of world().filled) {
      const oldestAt = readings.find((reading) => reading.store === store)?.oldestAt;
      expect(oldestAt, store).toBeTypeOf('number');
      expect(oldestAt, store).toBeLessThanOrEqual(Date.now() + 1_000);
    }
  });

  it('fences people without taking anything from them', async () => {
    await world().holder.fence(scope(...people));
    expect(await verify(...people)).toEqual(planted(...people));
  });

  it('finds and removes nothing of the same subject under another account', async () => {
    const [person] = people as [PlantedPerson];
    const foreign = scopeOf(nobody(), person.subject);
    expect(await world().holder.verify(foreign)).toEqual({});
    expect(counts(await world().holder.erase(foreign))).toEqual(NOTHING);
    expect(await verify(person)).toEqual(person.planted);
  });

  it('finds and removes exactly what there is: of two people at once, and of two in one request', async () => {
    const [first, second, third, fourth] = people as [PlantedPerson, PlantedPerson, PlantedPerson, PlantedPerson];
    before = await world().others(people);
    const erased = await Promise.all([erase(first), erase(second), erase(third, fourth)]);
    const expected = [first.planted, second.planted, planted(third, fourth)];
    expect(erased.map(counts)).toEqual(expected.map((found) => ({ found, removed: found })));
    expect(await verify(...people)).toEqual({});
  });

  it('leaves everything of others as it was', async () => {
    expect(await world().others(people)).toEqual(before);
    expect(await verify(neighbour)).toEqual(neighbour.planted);
  });

  it('finds nothing a second time', async () => {
    expect(counts(await erase(...people))).toEqual(NOTHING);
    expect(await verify(...people)).toEqual({});
  });

  it('erases a neighbour too, which the picture of others would have shown', async () => {
    expect(counts(await erase(neighbour))).toEqual({ found: neighbour.planted, removed: neighbour.planted });
    expect(await verify(neighbour)).toEqual({});
    expect(await world().others(people)).not.toEqual(before);
  });

  it('erases all of an account, and nothing of another', async () => {
    const [first, second] = [await plant(), await plant()];
    const { holder, accountId, kinds } = world();
    await holder.fenceAccount(closing(accountId));
    expect(await holder.verifyAccount(closing(nobody()))).toEqual({});
    const there = await holder.verifyAccount(closing(accountId));
    expect(kinds.some((kind) => (there[kind] ?? 0) >= (planted(first, second)[kind] ?? 0))).toBe(true);
    expect(counts(await holder.eraseAccount(closing(accountId)))).toEqual({ found: there, removed: there });
    expect(await holder.verifyAccount(closing(accountId))).toEqual({});
    expect(await verify(first, second)).toEqual({});
  });
}
