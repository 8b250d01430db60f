import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { openBody, dropTime } from '@lethe/bodies';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import { Vault } from '@lethe/vault';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { STORES } from '../src/privacy/stores.ts';
import { plantPerson, sent, somebody } from './support/plant.ts';
import { surroundings, type Fields, type Surroundings } from './support/surroundings.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });

describe('an erasure in ingest', () => {
  let around: Surroundings;
  let holder: PersonalDataHolder;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    holder = (await around.replica()).get(PersonalDataHolder, { strict: false });
  });
  afterAll(() => around?.close());

  interface Message {
    id: string;
    drop_at: Date;
  }
  async function accepted(fields: Fields): Promise<Message> {
    const text = randomUUID();
    await sent(around, { text, ...fields });
    const { rows } = await around.database.query<Message>('select id, drop_at from message order by id desc limit 1');
    return rows[0];
  }
  const erase = async (...addresses: string[]) =>
    holder.erase(around.scope(...(await Promise.all(addresses.map((address) => around.subjectOf(address))))));
  /** Whether it can be read: by who shows stored messages, and by who sends them. */
  async function readable({ id, drop_at: dropAt }: Message): Promise<{ ingest: boolean; delivery: boolean }> {
    const by = async (who: 'ingest' | 'delivery'): Promise<boolean> => {
      try {
        const key = await around.vault[who].contentKey(id, dropAt);
        return openBody(key, id, await around.bodies.read(id, dropAt)).length > 0;
      } catch (error) {
        expect(error).toEqual(forgotten);
        return false;
      }
    };
    return { ingest: await by('ingest'), delivery: await by('delivery') };
  }

  /** Who had the key in memory hears of it within a moment. */
  const becomes = (message: Message, expected: object): Promise<void> =>
    vi.waitFor(async () => expect(await readable(message)).toEqual(expected), 2_000);

  const ALL = { ingest: true, delivery: true };
  const DELIVERY = { ingest: false, delivery: true };
  const NOBODY = { ingest: false, delivery: false };

  it.each<[string, (person: string, other: string) => Fields, object]>([
    ['the only recipient', (person) => ({ to: person }), NOBODY],
    ['among those in To', (person, other) => ({ to: [person, other] }), DELIVERY],
    ['in Cc', (person, other) => ({ to: other, cc: person }), DELIVERY],
    ['in Bcc', (person, other) => ({ to: other, bcc: person }), ALL],
    ['in From', (person, other) => ({ to: other, from: `Sender <${person}>` }), DELIVERY],
    ['in Reply-To', (person, other) => ({ to: other, 'h:Reply-To': `Answer <${person}>` }), DELIVERY],
    ['in Bcc and From', (person, other) => ({ to: other, from: person, bcc: person }), DELIVERY],
  ])('of somebody who is %s leaves the message to whom it may', async (_, fields, expected) => {
    const [person, other] = [somebody(), somebody()];
    const message = await accepted(fields(person, other));
    const untouched = await accepted({ to: other });
    expect(await readable(message)).toEqual(ALL);
    await erase(person);
    await becomes(message, expected);
    expect(await readable(untouched)).toEqual(ALL);
    const { rowCount } = await around.database.query('select from message where id = $1', [message.id]);
    expect(rowCount).toBe(expected === NOBODY ? 0 : 1);
  });

  it('of the last one of several takes the message with it, be they erased together or one after the other', async () => {
    const people = [somebody(), somebody(), somebody()] as const;
    const together = await accepted({ to: [people[0], people[1]] });
    const apart = await accepted({ to: people[0], bcc: people[2] });
    expect((await erase(people[0], people[1])).removed).toEqual({ recipient: 3, message: 1, body: 1 });
    await becomes(together, NOBODY);
    await becomes(apart, DELIVERY);
    expect((await erase(people[2])).removed).toEqual({ recipient: 1, message: 1, body: 1 });
    await becomes(apart, NOBODY);
  });

  it('of everyone in a message by as many requests at once takes the message with it', async () => {
    const people = Array.from({ length: 6 }, somebody);
    const message = await accepted({ to: people });
    const erased = await Promise.all(people.map((person) => erase(person)));
    const sum = (kind: string) => erased.reduce((total, { removed }) => total + (removed[kind] ?? 0), 0);
    expect([sum('recipient'), sum('message'), sum('body')]).toEqual([6, 1, 1]);
    await becomes(message, NOBODY);
  });

  it('that is killed after the keys were condemned is finished by the next', async () => {
    const { subject, planted } = await plantPerson(around);
    const scope = around.scope(subject);
    // Bodies cannot be shredded for a while: the erasure stands within its transaction.
    const obstacle = await around.database.connect();
    await obstacle.query('begin');
    await obstacle.query('lock table bodies.body in share mode');
    const killed = holder.erase(scope);
    killed.catch(() => {});
    const condemned = async () => {
      const { rows } = await around.database.query<Message>(
        `select m.id, m.drop_at from message m join message_recipient r on r.message_id = m.id
         where r.subject_id = $1 and r.role <> 'bcc'`,
        [subject],
      );
      expect(rows.length).toBeGreaterThan(0);
      for (const { id, drop_at: dropAt } of rows) {
        await expect(around.vault.ingest.contentKey(id, dropAt)).rejects.toEqual(forgotten);
      }
    };
    await vi.waitFor(condemned, 10_000);
    await around.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'ingest' and wait_event_type = 'Lock'`,
    );
    await expect(killed).rejects.toThrow();
    await obstacle.query('commit');
    obstacle.release();
    // Mentions went first, in a transaction of their own.
    const { mention: _, ...left } = planted;
    expect(await holder.verify(scope)).toEqual(left);
    expect(await holder.erase(scope)).toEqual({ found: left, removed: left });
    expect(await holder.verify(scope)).toEqual({});
    expect(await holder.erase(scope)).toEqual({ found: {}, removed: {} });
  });

  it('of a large sender goes in steps, and looks at nobody else', async () => {
    const [subject, other] = [randomUUID(), randomUUID()];
    const dropAt = dropTime(new Date());
    const insert = (sender: string, count: number) =>
      around.database.query(
        `with made as (
           insert into message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method, size,
             test_mode)
           select uuidv7(), $1, $1, $1, now(), now(), $2, 'e30', 'http', 1, false from generate_series(1, $4) returning id
         ), recipients as (
           insert into message_recipient select id, 0, gen_random_uuid(), 'to', 'x' from made
         )
         insert into message_related select id, 0, $3, 'from', 'x' from made`,
        [around.accountId, dropAt, sender, count],
      );
    await insert(subject, 3_000);
    await insert(other, 10);
    const condemn = vi.spyOn(around.apps[0].get(Vault), 'condemnContentKeys');
    expect((await holder.erase(around.scope(subject))).removed).toEqual({ mention: 3_000 });
    const steps = condemn.mock.calls.map(([, messages]) => messages.length);
    expect(Math.max(...steps)).toBeLessThanOrEqual(500);
    expect(await holder.verify(around.scope(other))).toEqual({ mention: 10 });
    condemn.mockRestore();
  });

  it('counts rows whose message is gone as what is left', async () => {
    const subject = randomUUID();
    await around.database.query(`insert into message_recipient values ($1, 0, $2, 'to', 'x')`, [
      randomUUIDv7(),
      subject,
    ]);
    expect(await holder.verify(around.scope(subject))).toEqual({ recipient: 1 });
  });

  it('is about every table there is: each is declared, with every column', async () => {
    const { rows } = await around.database.query<{ name: string; columns: string[] }>(
      `select table_schema || '.' || table_name as name, array_agg(column_name::text order by column_name) as columns
       from information_schema.columns join pg_class c on c.oid = (quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass
       where table_schema in ('public', 'bodies') and not c.relispartition group by 1 order by 1`,
    );
    const declared = STORES.map(({ table, columns }) => ({ name: table, columns: Object.keys(columns).sort() }));
    expect(rows).toEqual(declared.sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '')));
  });
});
