import { bucketLimit, periodOf } from '@lethe/contracts';
import { createVault, withClient } from '@lethe/testing';
import { randomBytes } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { tables } from '../src/schema/0001-tables.ts';
import { partitions } from '../src/schema/0002-partitions.ts';
import { revocation } from '../src/schema/0003-revocation.ts';
import { functions } from '../src/schema/0004-functions.ts';
import { vaultWorld } from './support/vault-world.ts';

/** What was released before erasures were. */
const RELEASED = [
  ['0001-tables', tables],
  ['0002-partitions', partitions],
  ['0003-revocation', revocation],
  ['0004-functions', functions],
] as const;

it('a vault of the first release is brought here, and its period secrets end in time as well', async () => {
  const place = await createVault(inject('stores'), `v${randomBytes(4).toString('hex')}`);
  const { bucket } = periodOf('e30', Date.now());
  const limit = new Date(bucketLimit('e30', bucket));
  await withClient(place.ownerUrl, async (client) => {
    await client.query('create schema if not exists vault');
    await client.query(
      'create table vault.migration (name text primary key, applied_at timestamptz not null default now())',
    );
    for (const [name, sql] of RELEASED) {
      await client.query(sql);
      await client.query('insert into vault.migration (name) values ($1)', [name]);
    }
    await client.query(`insert into vault.retention values ('e30', '1 day', '30 days')`);
    await client.query(`insert into vault.period_secret values ('e30', $1, '', $2)`, [bucket, limit]);
  });
  const world = await vaultWorld(place);
  try {
    const { rows } = await world.admin.query('select forget_at from vault.period_secret');
    expect(rows).toEqual([{ forget_at: new Date(limit.getTime() - 600_000) }]);
  } finally {
    await world.close();
  }
});
