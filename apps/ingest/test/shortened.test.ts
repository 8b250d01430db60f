import { randomUUID } from 'node:crypto';
import { openBody } from '@lethe/bodies';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { SendingDomains } from '../src/settings/sending.domains.ts';
import { sent, somebody } from './support/plant.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });

let around: Surroundings;

beforeAll(async () => {
  around = await surroundings(inject('stores'), {
    STORED_FORGET_MS: '100',
    RETENTION_WORK_MS: '100',
    RETENTION_SHORTENED_MS: '100',
  });
  await around.replica();
  await around.replica();
});
afterAll(() => around?.close());
beforeEach(async () => {
  await Promise.all([around.publishDomain({}), around.publishAccount({})]);
  // Whatever the test before has said, nobody goes by it any more.
  const asBefore = () =>
    around.apps.every((app) => {
      const domains = app.get(SendingDomains, { strict: false });
      const counts = [domains.shortened(), domains.lengthened()].map(
        (days) => days && days.domains.size + days.accounts.size,
      );
      return domains.has(around.domain.domainId) === true && counts.every((size) => size === 0);
    });
  if (!(await until(asBefore, 30_000))) throw new Error('the replicas go by what an earlier test has said');
});

/** A message accepted so many days ago, under what was kept then. */
async function accepted(daysAgo: number): Promise<string> {
  // 503 keeps nothing: the machine may be too busy to be sure that settings are fresh.
  await vi.waitFor(() => sent(around, { to: somebody() }), { timeout: 30_000, interval: 500 });
  const { rows } = await around.database.query<{ id: string }>(
    `update message set accepted_at = now() - make_interval(days => $1)
      where id = (select id from message order by accepted_at desc limit 1) returning id`,
    [daysAgo],
  );
  return rows[0].id;
}
/** The lowest id of that day. */
const idOf = (daysAgo: number): string => {
  const hex = (Date.now() - daysAgo * 86_400_000).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
};
async function row(id: string): Promise<{ stored: string; drop_at: Date }> {
  const { rows } = await around.database.query('select stored, drop_at from message where id = $1', [id]);
  return rows[0];
}
const becomes = (id: string, stored: string) =>
  expect.poll(async () => (await row(id)).stored, { timeout: 30_000 }).toBe(stored);

describe('a retention that is shortened', () => {
  it('is one for what is there: its content key is given up, and delivery still sends what waits', async () => {
    const [old, young] = [await accepted(2), await accepted(0)];
    expect((await around.stored(old)).status).toBe(200);
    await around.publishDomain({ bodiesDays: 1 });
    await becomes(old, 'condemned');
    expect((await around.stored(old, {}, { replica: 1 })).status).toBe(404);
    const { drop_at: dropAt } = await row(old);
    await expect(around.vault.ingest.contentKey(old, dropAt)).rejects.toEqual(forgotten);
    const key = await around.vault.delivery.contentKey(old, dropAt);
    expect(openBody(key, old, await around.bodies.read(old, dropAt)).length).toBeGreaterThan(0);
    // It is no matter of showing it or not: what is gone does not come back.
    await around.publishDomain({});
    await expect.poll(async () => (await around.stored(young)).status, { timeout: 30_000 }).toBe(200);
    expect((await around.stored(old)).status).toBe(404);
    expect((await row(young)).stored).toBe('readable');
  });

  it('to nothing is one for everything', async () => {
    const young = await accepted(0);
    expect((await around.stored(young)).status).toBe(200);
    await around.publishDomain({ bodiesDays: 0 });
    await becomes(young, 'condemned');
  });

  it('of an account takes what is left of its domains that are gone, and nothing of one that keeps it', async () => {
    const [old, orphan] = [await accepted(2), await accepted(2)];
    await around.database.query('update message set domain_id = gen_random_uuid() where id = $1', [orphan]);
    // accounts says of each domain what it keeps; this one has chosen a week for itself.
    await around.publishAccount({ retention: { bodiesDays: 1, eventsDays: 30 } });
    await becomes(orphan, 'condemned');
    expect((await row(old)).stored).toBe('readable');
    await around.endDomain();
    await becomes(old, 'condemned');
  });

  it('takes all there is, however much, and nothing of others', async () => {
    const sample = await accepted(0);
    const stranger = '00000000-0000-7000-8000-000000000001';
    const plant = (count: number, account: string, domain: string) =>
      around.database.query(
        `insert into message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method,
           size, test_mode)
         select gen_random_uuid(), $2, $3, $3, now() - interval '4 days', now(), drop_at, 'e30', 'http', 1, false
           from message, generate_series(1, $4) where id = $1`,
        [sample, account, domain, count],
      );
    await plant(2_500, around.accountId, around.domain.domainId);
    await plant(3, stranger, stranger);
    await around.publishDomain({ bodiesDays: 3 });
    const left = async (domain: string) => {
      const { rowCount } = await around.database.query(
        `select from message where domain_id = $1 and stored = 'readable' and accepted_at < now() - interval '3 days'`,
        [domain],
      );
      return rowCount;
    };
    expect(await until(async () => (await left(around.domain.domainId)) === 0, 60_000)).toBe(true);
    expect(await left(stranger)).toBe(3);
    expect((await row(sample)).stored).toBe('readable');
  });
});

describe('an instruction to keep bodies for longer than a week', () => {
  /** Accepted so many days ago by it; what is there of it besides matters to nobody here. */
  async function planted(
    daysAgo: number,
    account = around.accountId,
    domain = around.domain.domainId,
  ): Promise<string> {
    const { rows } = await around.database.query<{ id: string }>(
      `insert into message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method, size, test_mode)
       values ($1, $2, $3, $3, now() - make_interval(days => $4), now(), now() + interval '10 days', 'e30', 'http', 1, false)
       returning id`,
      [idOf(daysAgo), account, domain, daysAgo],
    );
    return rows[0].id;
  }
  const readings = async () => {
    const all = await around.apps[0].get(PersonalDataHolder, { strict: false }).measure();
    return new Map(all.map(({ store, class: name, oldestAt }) => [`${store} ${name}`, oldestAt]));
  };

  it('has them kept so long, and sends what waits for no longer than others', async () => {
    await around.publishDomain({ bodiesDays: 20 });
    const before = Date.now();
    const long = async (): Promise<boolean> => {
      const id = await accepted(0);
      const { rows } = await around.database.query('select drop_at, expires_at from message where id = $1', [id]);
      const days = (at: Date): number => (at.getTime() - before) / 86_400_000;
      if (days(rows[0].drop_at) < 8) return false;
      expect(days(rows[0].drop_at)).toBeGreaterThan(19.7);
      expect(days(rows[0].drop_at)).toBeLessThan(20);
      expect(days(rows[0].expires_at)).toBeLessThan(7);
      expect((await around.stored(id)).status).toBe(200);
      return true;
    };
    expect(await until(long, 30_000, 500)).toBe(true);
    const found = await readings();
    expect(found.get('ingest.message instructed')).not.toBeNull();
    expect(found.get('ingest.body instructed')).toBeGreaterThan(before - 60_000);
  });

  it('that is over is for nobody: what is older than a week goes, and what others keep stays', async () => {
    const stranger = randomUUID();
    await around.publishDomain({ bodiesDays: 20 });
    const [old, young, gone] = [await planted(12), await planted(3), await planted(21)];
    await becomes(gone, 'condemned');
    expect([(await row(old)).stored, (await row(young)).stored]).toEqual(['readable', 'readable']);
    // A domain nobody has heard of, of an account nobody has heard of, has instructed nobody.
    const orphan = await planted(8, stranger, stranger);
    await becomes(orphan, 'condemned');
    expect((await row(old)).stored).toBe('readable');
    await around.publishDomain({ bodiesDays: 7 });
    await becomes(old, 'condemned');
    expect((await row(young)).stored).toBe('readable');
    const found = await readings();
    // It is read apart from all others, until its own limit.
    expect(found.get('ingest.message body')).toBeGreaterThan(Date.now() - 7 * 86_400_000);
    expect(found.get('ingest.message instructed')).toBeLessThan(Date.now() - 20 * 86_400_000);
  });

  it('of an account whose domain is gone holds for what is left of it', async () => {
    const orphan = await planted(12, around.accountId, randomUUID());
    const gone = await planted(12, around.accountId, randomUUID());
    await becomes(gone, 'condemned');
    await becomes(orphan, 'condemned');
    await around.publishAccount({ retention: { bodiesDays: 15, eventsDays: 30 } });
    const heard = () =>
      around.apps.every((app) => app.get(SendingDomains, { strict: false }).lengthened()?.accounts.size === 1);
    expect(await until(heard, 30_000)).toBe(true);
    const [stays, goes] = [
      await planted(14, around.accountId, randomUUID()),
      await planted(16, around.accountId, randomUUID()),
    ];
    await becomes(goes, 'condemned');
    expect((await row(stays)).stored).toBe('readable');
  });
});
