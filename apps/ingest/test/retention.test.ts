import { randomUUID } from 'node:crypto';
import { sealBody } from '@lethe/bodies';
import { inTransaction } from '@lethe/database';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;
const BUCKET = 6 * HOUR;
const bucket = (ago: number): Date => new Date(Math.floor(Date.now() / BUCKET) * BUCKET - ago * BUCKET);

/** As `randomUUIDv7` made it then. */
function idOf(at: number): string {
  const hex = at.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

describe('what is past its time', () => {
  let around: Surroundings;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { RETENTION_WORK_MS: '200' });
  });
  afterAll(() => around?.close());

  /** A message as it was accepted then, with all that belongs to it. */
  async function planted(dropAt: Date, recipients = 1): Promise<string> {
    const id = idOf(dropAt.getTime() - 24 * HOUR);
    const body = { messageId: id, dropAt, sealed: sealBody(Buffer.alloc(32), id, Buffer.from('body')) };
    await around.bodies.prepare([body]);
    await inTransaction(around.database, async (client) => {
      await client.query(
        `insert into message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method,
           size, test_mode) values ($1, $2, $2, $2, $3, $3, $4, 'e30', 'http', 1, false)`,
        [id, around.accountId, new Date(dropAt.getTime() - 24 * HOUR), dropAt],
      );
      await client.query(
        `insert into message_recipient select $1, n, gen_random_uuid(), 'to', 'x' from generate_series(1, $2) n`,
        [id, recipients],
      );
      await client.query(`insert into message_related values ($1, 0, gen_random_uuid(), 'from', 'x')`, [id]);
      await client.query(`insert into outbox (id, records, created_at) values ($1, '[]', now() + interval '1 hour')`, [
        id,
      ]);
      await around.bodies.insertMany(client, [body]);
    });
    return id;
  }

  const tables = [
    ['message', 'id'],
    ['message_recipient', 'message_id'],
    ['message_related', 'message_id'],
    ['outbox', 'id'],
    ['bodies.body', 'message_id'],
  ] as const;
  const rows = async (ids: string[]): Promise<number[]> =>
    Promise.all(
      tables.map(async ([table, column]) => {
        const { rowCount } = await around.database.query(`select from ${table} where ${column} = any($1)`, [ids]);
        return rowCount ?? 0;
      }),
    );

  it('goes with all that belongs to it, in every replica at once, and nothing else goes', async () => {
    const kept = await planted(bucket(-1), 3);
    const past = await Promise.all(Array.from({ length: 250 }, (_, index) => planted(bucket(index % 3), 2)));
    await Promise.all([around.replica(), around.replica()]);
    expect(await until(async () => (await rows(past)).every((count) => count === 0), 20_000)).toBe(true);
    expect(await rows([kept])).toEqual([1, 3, 1, 1, 1]);
    const { rows: partitions } = await around.database.query<{ at: Date }>(
      `select to_timestamp(substring(inhrelid::regclass::text from '[0-9]{10}$') || '+00', 'YYYYMMDDHH24TZH') as at
       from pg_inherits where inhparent = 'bodies.body'::regclass`,
    );
    const times = partitions.map(({ at }) => at.getTime());
    expect(Math.min(...times)).toBeGreaterThan(Date.now());
    // Of what is accepted within the next hours, kept as long as can be.
    expect(Math.max(...times)).toBeGreaterThan(Date.now() + 7 * 24 * HOUR);
  });
});
