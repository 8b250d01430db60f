import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { Log } from '@lethe/service';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { EntriesPublisher } from '../src/entries/entries.publisher.ts';
import { EntriesRepository } from '../src/entries/entries.repository.ts';
import { DomainsTable } from '../src/settings/domains.table.ts';
import { EndedDomainsWorker } from '../src/settings/ended-domains.worker.ts';
import { bounced, entered, fenced, heldOf, holderOf } from './support/people.ts';
import { startSurroundings, type Domain, type Surroundings } from './support/surroundings.ts';

const WAIT = { timeout: 60_000, interval: 100 };
const LIMIT_MS = 240_000;

let around: Surroundings;
let ended: Domain;
let staying: Domain;

beforeAll(async () => {
  around = await startSurroundings(inject('stores'));
});
afterAll(() => around?.close());
beforeEach(async () => {
  ended = await around.domain();
  staying = await around.domain(ended.account);
});

/** One of its own, whose rounds are those of the test: those of the replicas come once a minute. */
function worker(): EndedDomainsWorker {
  const [app] = around.replicas;
  const get = <T>(token: new (...args: never[]) => T): T => app.get(token, { strict: false });
  return new EndedDomainsWorker(get(EntriesRepository), get(EntriesPublisher), get(DomainsTable), get(Log));
}
const rowsOf = async ({ domainId }: Pick<Domain, 'domainId'>): Promise<number | null> =>
  (await around.database.query('SELECT FROM suppression WHERE scope_id = $1', [domainId])).rowCount;
const people = (count: number): string[] => Array.from({ length: count }, () => `${randomUUID()}@x.example`);

describe('the entries of a domain that was deleted', () => {
  it(
    'go, and delivery hears of it; those of other domains and of the account as a whole stay',
    async () => {
      const [both, unsubscribed, erased, ...others] = people(703) as [string, string, string, ...string[]];
      // More than go at once.
      await bounced(around, ended, both, erased, ...others);
      await bounced(around, staying, both);
      await entered(around, ended, unsubscribed, 'unsubscribe');
      await entered(around, staying, unsubscribed, 'unsubscribe');
      await holderOf(around).erase(await fenced(around, ended, [erased], 'keep'));
      const held = () => heldOf(around, ended, erased);
      await expect.poll(held, WAIT).toMatchObject({ account: 'do-not-contact' });
      expect(await rowsOf(ended)).toBe(702);
      await expect.poll(() => heldOf(around, ended, others[699] ?? ''), WAIT).toMatchObject({ domain: 'bounce' });

      await around.endDomain(ended);
      const rounds = worker();
      const afterOneMore = async (): Promise<number | null> => {
        await rounds.work();
        return rowsOf(ended);
      };
      await expect.poll(afterOneMore, WAIT).toBe(0);
      for (const address of [both, unsubscribed, others[0] ?? '', others[699] ?? '']) {
        const key = await around.keyOf(ended, address);
        await expect.poll(() => around.table.get(key), WAIT).toBeUndefined();
      }
      expect(await rowsOf(staying)).toBe(2);
      expect(await heldOf(around, staying, both)).toMatchObject({ domain: 'bounce' });
      expect(await held()).toMatchObject({ account: 'do-not-contact' });
      expect(await rowsOf({ domainId: ended.account })).toBe(1);
    },
    LIMIT_MS,
  );

  it('stay where the domain comes a moment after them', async () => {
    const coming = { ...ended, domainId: randomUUIDv7(), name: `${randomUUID()}.example` };
    const [address] = people(1) as [string];
    await entered(around, coming, address, 'bounce');
    const rounds = worker();
    await rounds.work();
    expect(await rowsOf(coming)).toBe(1);
    await around.announce(coming);
    await rounds.work();
    await rounds.work();
    expect(await rowsOf(coming)).toBe(1);
  });

  it(
    'stay as long as nobody is sure that it is gone',
    async () => {
      const [address] = people(1) as [string];
      await bounced(around, ended, address);
      const answers = async () => (await around.call(ended, 'GET', '?limit=1')).status;
      around.heartbeat.alive = false;
      try {
        for (const _ of around.replicas) await expect.poll(answers, WAIT).toBe(503);
        await around.endDomain(ended);
        const rounds = worker();
        for (let round = 0; round < 5; round += 1) await rounds.work();
        expect(await rowsOf(ended)).toBe(1);
      } finally {
        around.heartbeat.alive = true;
      }
      const rounds = worker();
      const afterOneMore = async (): Promise<number | null> => {
        await rounds.work();
        return rowsOf(ended);
      };
      await expect.poll(afterOneMore, WAIT).toBe(0);
    },
    LIMIT_MS,
  );
});
