import { createDatabase } from '@lethe/testing';
import type { SuiteDatabase } from '@lethe/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { BodyStore, dropTime, migrateBodies, openBody, openStream, sealBody } from '../src/index.ts';
import type { SealedBody } from '../src/index.ts';

const HOUR = 3_600_000;
const key = randomBytes(32);
const forgotten = expect.objectContaining({ name: 'ForgottenError' });

let database: SuiteDatabase;
let writer: Client;
let ingest: BodyStore;
let delivery: BodyStore;

beforeAll(async () => {
  database = await createDatabase(inject('stores'), 'ingest', `b${randomBytes(4).toString('hex')}`);
  await migrateBodies(database.url);
  writer = new Client({ connectionString: database.url });
  await writer.connect();
  ingest = new BodyStore({ url: database.url });
  delivery = new BodyStore({ url: database.urlFor('delivery') });
});
afterAll(async () => {
  await Promise.all([ingest.close(), delivery.close(), writer.end()]);
  await database.drop();
});

const body = (content: Buffer, dropAt = dropTime(new Date())): SealedBody => {
  const messageId = randomUUID();
  return { messageId, dropAt, sealed: sealBody(key, messageId, content) };
};

describe('bodies', () => {
  it('are there exactly if the transaction is', async () => {
    const [kept, undone] = [body(Buffer.from('kept')), body(Buffer.from('undone'))];
    await writer.query('begin');
    await ingest.insertMany(writer, [undone]);
    await writer.query('rollback');
    await writer.query('begin');
    await ingest.insertMany(writer, [kept]);
    await writer.query('commit');
    await expect(delivery.read(undone.messageId, undone.dropAt)).rejects.toThrow(forgotten);
    const sealed = await delivery.read(kept.messageId, kept.dropAt);
    expect(openBody(key, kept.messageId, sealed).toString()).toBe('kept');
  });

  it('of every size, inserted by one statement, read and streamed', async () => {
    const contents = [0, 1, 1000, 1_048_520, 1_048_521, 5_000_000].map((size) => randomBytes(size));
    const bodies = contents.map((content) => body(content));
    const queries = vi.spyOn(writer, 'query');
    await ingest.insertMany(writer, bodies);
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    for (const [index, { messageId, dropAt }] of bodies.entries()) {
      const content = contents[index] as Buffer;
      expect(openBody(key, messageId, await delivery.read(messageId, dropAt)).equals(content)).toBe(true);
      const streamed = await Array.fromAsync(openStream(key, messageId, delivery.stream(messageId, dropAt)));
      expect(Buffer.concat(streamed).equals(content)).toBe(true);
    }
  });

  it('read at the same moment share a query', async () => {
    const bodies = Array.from({ length: 32 }, (_, index) => body(Buffer.from(`body ${index}`)));
    await ingest.insertMany(writer, bodies);
    const queries = vi.spyOn(delivery['pool'], 'query');
    const read = await Promise.all(bodies.map(({ messageId, dropAt }) => delivery.read(messageId, dropAt)));
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    expect(read.map((sealed, index) => openBody(key, bodies[index]?.messageId ?? '', sealed).toString())).toEqual(
      bodies.map((_, index) => `body ${index}`),
    );
  });

  it('are gone once shredded, also for a stream that has begun', async () => {
    const large = body(randomBytes(3_000_000));
    await ingest.insertMany(writer, [large]);
    const stream = delivery.stream(large.messageId, large.dropAt);
    await stream.next();
    await delivery.shred(large.messageId, large.dropAt);
    await expect(stream.next()).rejects.toThrow(forgotten);
    await expect(delivery.read(large.messageId, large.dropAt)).rejects.toThrow(forgotten);
  });

  it('past their drop time are not answered, even if nothing has dropped them yet', async () => {
    const late = body(Buffer.from('late'), dropTime(new Date(Date.now() - 6 * HOUR), 0));
    await ingest.insertMany(writer, [late]);
    await expect(delivery.read(late.messageId, late.dropAt)).rejects.toThrow(forgotten);
  });

  it('of several messages are gone with the transaction that shreds them, others stay', async () => {
    const [first, second, other] = [
      body(randomBytes(2_000_000)),
      body(Buffer.from('second'), dropTime(new Date(), 24 * HOUR)),
      body(Buffer.from('other')),
    ];
    await ingest.insertMany(writer, [first, second, other]);
    const unknown = { messageId: randomUUID(), dropAt: other.dropAt };
    await writer.query('begin');
    expect(await ingest.shredMany(writer, [first, second, unknown])).toBe(2);
    await writer.query('rollback');
    expect(await ingest.shredMany(writer, [first, second, unknown])).toBe(2);
    expect(await ingest.shredMany(writer, [first, second])).toBe(0);
    for (const { messageId, dropAt } of [first, second]) {
      await expect(delivery.read(messageId, dropAt)).rejects.toThrow(forgotten);
    }
    expect(openBody(key, other.messageId, await delivery.read(other.messageId, other.dropAt)).toString()).toBe('other');
  });

  it('of hundreds of messages, more than one statement can hold in bytes', async () => {
    const bodies = Array.from({ length: 70 }, () => body(randomBytes(1_000_000)));
    await ingest.insertMany(writer, bodies);
    const { rows } = await writer.query(
      'select count(distinct message_id)::int as count from bodies.body where message_id = any($1)',
      [bodies.map(({ messageId }) => messageId)],
    );
    expect(rows).toEqual([{ count: 70 }]);
  });
});

describe('partitions', () => {
  it('are made ahead for all that is accepted in the next hours', async () => {
    const { rows } = await writer.query<{ part: string }>(
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
        const store = new BodyStore({ url: database.url });
        const pool = new Pool({ connectionString: database.url, max: 1 });
        const client = await pool.connect();
        await client.query('begin');
        return { store, pool, client };
      }),
    );
    const bodies = others.map(() => body(Buffer.from('x'), dropAt));
    await Promise.all(others.map(({ store, client }, index) => store.insertMany(client, [bodies[index]])));
    for (const { store, pool, client } of others) {
      await client.query('commit');
      client.release();
      await pool.end();
      await store.close();
    }
    for (const { messageId } of bodies) expect(await delivery.read(messageId, dropAt)).toBeInstanceOf(Buffer);
  });

  it('refuse a drop time off the grid', async () => {
    const off = body(Buffer.from('x'), new Date(dropTime(new Date()).getTime() + 1000));
    await expect(ingest.insertMany(writer, [off])).rejects.toThrow('bucket grid');
  });
});

describe('partitions past their drop time', () => {
  const HELD = dropTime(new Date(Date.now() - 30 * HOUR), 0);
  const names = async (): Promise<string[]> => {
    const { rows } = await writer.query<{ part: string }>(
      `select inhrelid::regclass::text as part from pg_inherits where inhparent = 'bodies.body'::regclass order by 1`,
    );
    return rows.map(({ part }) => part);
  };
  const nameOf = (dropAt: Date): string => `bodies.body_${dropAt.toISOString().slice(0, 13).replaceAll(/[-T]/g, '')}`;

  it('are dropped, those of later are kept', async () => {
    const past = [1, 2, 3].map((buckets) =>
      body(Buffer.from('past'), dropTime(new Date(Date.now() - buckets * 6 * HOUR), 0)),
    );
    const kept = body(Buffer.from('kept'));
    await ingest.insertMany(writer, [...past, kept]);
    await Promise.all([ingest.dropDue(), ingest.dropDue()]);
    const left = await names();
    for (const { dropAt } of past) expect(left).not.toContain(nameOf(dropAt));
    expect(left).toContain(nameOf(kept.dropAt));
    expect(openBody(key, kept.messageId, await delivery.read(kept.messageId, kept.dropAt)).toString()).toBe('kept');
    await ingest.makeAhead();
    expect(await ingest.dropDue(), 'nothing is made that is due').toBe(0);
  });

  it('are left while somebody reads them, and nobody waits for them', async () => {
    await ingest.insertMany(writer, [body(Buffer.from('read'), HELD)]);
    const current = body(Buffer.from('current'));
    await ingest.insertMany(writer, [current]);
    const reader = new Client({ connectionString: database.url });
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
    await expect(delivery.dropDue()).rejects.toThrow('permission denied');
    await expect(delivery.makeAhead()).rejects.toThrow('permission denied');
  });
});

describe('the oldest body', () => {
  it('is the one accepted first, however long it is kept', async () => {
    await writer.query('truncate bodies.body');
    expect(await ingest.oldest()).toBeNull();
    /** As `randomUUIDv7` makes them, at another time. */
    const idOf = (at: number): string => {
      const hex = at.toString(16).padStart(12, '0');
      return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
    };
    const acceptedAt = Date.now() - 40 * HOUR;
    const at = (ago: number, keepDays: number): SealedBody => {
      const messageId = idOf(Date.now() - ago);
      return { ...body(Buffer.from('x'), dropTime(new Date(Date.now() - ago), keepDays * 24 * HOUR)), messageId };
    };
    const oldest = { ...at(0, 1), messageId: idOf(acceptedAt), dropAt: dropTime(new Date(acceptedAt), 7 * 24 * HOUR) };
    await ingest.insertMany(writer, [at(10 * HOUR, 1), oldest, at(0, 7), at(20 * HOUR, 2)]);
    expect((await ingest.oldest())?.getTime()).toBe(acceptedAt);
  });
});

describe('drop time', () => {
  it.each([
    ['2026-11-25T00:00:00.000Z', 168, '2026-12-01T18:00:00.000Z'],
    ['2026-11-25T00:09:59.999Z', 168, '2026-12-01T18:00:00.000Z'],
    ['2026-11-25T00:10:00.000Z', 168, '2026-12-02T00:00:00.000Z'],
    ['2026-11-25T05:59:59.999Z', 168, '2026-12-02T00:00:00.000Z'],
    ['2026-11-25T06:10:00.000Z', 168, '2026-12-02T06:00:00.000Z'],
    ['2026-11-25T23:00:00.000Z', 24, '2026-11-26T18:00:00.000Z'],
  ])('accepted at %s and kept %i hours: %s', (accepted, hours, dropAt) => {
    expect(dropTime(new Date(accepted), hours * HOUR).toISOString()).toBe(dropAt);
  });

  it('is never later than seven days', () => {
    expect(() => dropTime(new Date(), 169 * HOUR)).toThrow('7 days at most');
  });
});

describe('delivery', () => {
  it('reads and shreds, nothing else', async () => {
    const client = new Client({ connectionString: database.urlFor('delivery') });
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
    const again = Promise.all([migrateBodies(database.url), migrateBodies(database.url)]);
    await expect(again).resolves.toHaveLength(2);
  });
});
