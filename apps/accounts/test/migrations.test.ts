import { randomUUID } from 'node:crypto';
import { migrateDatabase } from '@lethe/database';
import { createDatabase, withClient } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DkimKeys1764342000000 } from '../src/migrations/1764342000000-dkim-keys.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';

describe('the migration to several DKIM keys', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  const [account, domain] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    database = await createDatabase(inject('stores'), 'accounts', `acc${randomUUID().slice(0, 8)}`);
    await migrateDatabase(database.url, MIGRATIONS.slice(0, MIGRATIONS.indexOf(DkimKeys1764342000000)));
    await withClient(database.url, async (client) => {
      await client.query('INSERT INTO account (id) VALUES ($1)', [account]);
      await client.query(
        `INSERT INTO domain (id, account_id, name, state, dkim_selector, dkim_public_key, dkim_private_key, dkim_check, created_at)
         VALUES ($1, $2, 'old.example', 'active', 'lethe', 'public', 'sealed', 'valid', '2026-01-02T03:04:05Z')`,
        [domain, account],
      );
    });
  });
  afterAll(() => database?.drop());

  it('keeps the key a domain had, as the one that signs', async () => {
    await migrateDatabase(database.url, MIGRATIONS);
    const rows = await withClient(database.url, async (client) => (await client.query('SELECT * FROM dkim_key')).rows);
    const since = new Date('2026-01-02T03:04:05Z');
    expect(rows).toEqual([
      {
        id: domain,
        account_id: account,
        domain_id: domain,
        selector: 'lethe',
        algorithm: 'rsa',
        public_key: 'public',
        private_key: 'sealed',
        dns_check: 'valid',
        active: true,
        activated_at: since,
        created_at: since,
      },
    ]);
  });
});
