import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { dropTime, migrateBodies, openBody, PostgresBodyStore } from '../src/index.ts';
import { body, HOUR, keep, KEY } from './support/bodies.ts';
import { postgresWorld } from './support/worlds.ts';

const forgotten = expect.objectContaining({ name: 'ForgottenError' });

let world: Awaited<ReturnType<typeof postgresWorld>>;
beforeAll(async () => {
  world = await postgresWorld(inject('stores'));
});
afterAll(() => world?.close());

describe('bodies', () => {
  it('are inserted by one statement, and are the transaction’s: nothing of them is left of one that is undone', async () => {
    const { ingest, delivery, writer } = world;
    const bodies = [0, 1_048_521, 5_000_000].map((size) => body(randomBytes(size)));
    await writer.query('begin');
    const queries = vi.spyOn(writer, 'query');
    await ingest.insertMany(writer, bodies);
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    await writer.query('rollback');
    for (const { messageId, dropAt } of bodies)
      await expect(delivery.read(messageId, dropAt)).rejects.toThrow(forgotten);
  });

  it('are gone with the transaction that shreds them', async () => {
    const { ingest, delivery, writer } = world;
    const shredded = body(Buffer.from('shredded'));
    await keep(ingest, writer, [shredded]);
    await writer.query('begin');
    expect(await ingest.shredMany(writer, [shredded])).toBe(1);
    await writer.query('rollback');
    expect(openBody(KEY, shredded.messageId, await delivery.read(shredded.messageId, shredded.dropAt)).toString()).toBe(
      'shredded',
    );
  });

  it('read at the same moment share a query', async () => {
    const { ingest, writer } = world;
    const reader = new PostgresBodyStore({ url: world.database.urlFor('delivery') });
    const bodies = Array.from({ length: 32 }, (_, index) => body(Buffer.from(`body ${index}`)));
    await keep(ingest, writer, bodies);
    const queries = vi.spyOn(reader['pool'], 'query');
    await Promise.all(bodies.map(({ messageId, dropAt }) => reader.read(messageId, dropAt)));
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    await reader.close();
  });
});

describe('partitions', () => {
  it('are made ahead for all that is accepted in the next hours', async () => {
    const { rows } = await world.writer.query<{ part: string }>(
      `select relname as part from pg_class where relnamespace = 'bodies'::regnamespace and relispartition and relkind = 'r'`,
    );
    const names = rows.map(({ part }) => part);
    for (const ahead of [0, 6]) {
      const at = dropTime(new Date(Date.now() + ahead * HOUR)).toISOString();
      expect(names).toContain(`body_${at.slice(0, 13).replaceAll(/[-T]/g, '')}`);
    }
  });

  it('are made on demand, by several at once, while a transaction is open', async () => {
    const dropAt = new Date(Math.floor(Date.now() / (6 * HOUR)) * 6 * HOUR + 60 * 24 * HOUR);
    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const store = new PostgresBodyStore({ url: world.database.url });
        const pool = new Pool({ connectionString: world.database.url, max: 1 });
        const client = await pool.connect();
        await client.query('begin');
        return { store, pool, client };
      }),
    );
    const bodies = others.map(() => body(Buffer.from('x'), dropAt));
    await Promise.all(
      others.map(async ({ store, client }, index) => {
        await store.prepare([bodies[index]]);
        await store.insertMany(client, [bodies[index]]);
      }),
    );
    for (const { store, pool, client } of others) {
      await client.query('commit');
      client.release();
      await pool.end();
      await store.close();
    }
    for (const { messageId } of bodies) expect(await world.delivery.read(messageId, dropAt)).toBeInstanceOf(Buffer);
  });

  it('refuse a drop time off the grid', async () => {
    const off = body(Buffer.from('x'), new Date(dropTime(new Date()).getTime() + 1000));
    await expect(world.ingest.prepare([off])).rejects.toThrow('bucket grid');
  });
});

describe('partitions past their drop time', () => {
  const HELD = dropTime(new Date(Date.now() - 30 * HOUR), 0);
  const names = async (): Promise<string[]> => {
    const { rows } = await world.writer.query<{ part: string }>(
      `select inhrelid::regclass::text as part from pg_inherits where inhparent = 'bodies.body'::regclass order by 1`,
    );
    return rows.map(({ part }) => part);
  };
  const nameOf = (dropAt: Date): string => `bodies.body_${dropAt.toISOString().slice(0, 13).replaceAll(/[-T]/g, '')}`;

  it('are dropped, those of later are kept', async () => {
    const { ingest, writer } = world;
    const past = [1, 2, 3].map((buckets) =>
      body(Buffer.from('past'), dropTime(new Date(Date.now() - buckets * 6 * HOUR), 0)),
    );
    const kept = body(Buffer.from('kept'));
    await keep(ingest, writer, [...past, kept]);
    await Promise.all([ingest.dropDue(), ingest.dropDue()]);
    const left = await names();
    for (const { dropAt } of past) expect(left).not.toContain(nameOf(dropAt));
    expect(left).toContain(nameOf(kept.dropAt));
  });

  it('are left while somebody reads them, and nobody waits for them', async () => {
    const { ingest, delivery, writer } = world;
    const current = body(Buffer.from('current'));
    await keep(ingest, writer, [body(Buffer.from('read'), HELD), current]);
    const reader = new Client({ connectionString: world.database.url });
    await reader.connect();
    await reader.query('begin');
    await reader.query('select from bodies.body where drop_at = $1', [HELD]);
    const dropping = ingest.dropDue();
    const began = performance.now();
    await delivery.read(current.messageId, current.dropAt);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await dropping).toBe(0);
    expect(await names()).toContain(nameOf(HELD));
    await reader.query('commit');
    await reader.end();
    expect(await ingest.dropDue()).toBeGreaterThan(0);
    expect(await names()).not.toContain(nameOf(HELD));
  });

  it('are not within reach of who only reads', async () => {
    await expect(world.delivery.dropDue()).rejects.toThrow('permission denied');
    await expect(world.delivery.makeAhead()).rejects.toThrow('permission denied');
  });
});

it('knows of no oldest body where there is none', async () => {
  await world.writer.query('truncate bodies.body');
  expect(await world.ingest.oldest()).toEqual({ body: null, instructed: null });
});

describe('delivery', () => {
  it('reads and shreds, nothing else', async () => {
    const client = new Client({ connectionString: world.database.urlFor('delivery') });
    await client.connect();
    try {
      for (const sql of [
        `insert into bodies.body values (now(), gen_random_uuid(), 0, 1, '')`,
        `update bodies.body set seq = 1`,
        'truncate bodies.body',
        `select bodies.ensure_partition(now(), '6 hours')`,
        'create table bodies.mine ()',
      ]) {
        await expect(client.query(sql)).rejects.toThrow(/permission denied/);
      }
    } finally {
      await client.end();
    }
  });

  it('migrates again without change', async () => {
    const again = Promise.all([migrateBodies(world.database.url), migrateBodies(world.database.url)]);
    await expect(again).resolves.toHaveLength(2);
  });
});
