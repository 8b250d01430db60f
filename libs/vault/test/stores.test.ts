import { isLimited } from '@lethe/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VAULT_STORES } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

let world: VaultWorld;
beforeAll(async () => {
  world = await vaultWorld();
});
afterAll(() => world.close());

it('declares every table and every column, and none more', async () => {
  const { rows } = await world.admin.query<{ name: string; columns: string[] }>(
    `select c.table_schema || '.' || c.table_name as name, array_agg(c.column_name::text order by 1) as columns
     from information_schema.columns c
     join pg_class r on r.oid = format('%I.%I', c.table_schema, c.table_name)::regclass and not r.relispartition
     where c.table_schema not in ('pg_catalog', 'information_schema') group by 1 order by 1`,
  );
  const found = Object.fromEntries(rows.map(({ name, columns }) => [name, columns.toSorted()]));
  const declared = VAULT_STORES.map(({ table, columns }) => [table, Object.keys(columns).toSorted()]);
  expect(Object.fromEntries(declared)).toEqual(found);
  expect(VAULT_STORES.map(({ store }) => store)).toEqual(VAULT_STORES.map(({ table }) => table));
});

it('reads the age of each that has a limit, under the same name', async () => {
  const limited = VAULT_STORES.filter(({ limit }) => isLimited(limit)).map(({ store }) => store);
  const read = (await world.keeper().readings()).map(({ store }) => store);
  expect([...new Set(read)].toSorted()).toEqual(limited.toSorted());
});

it('a secret is marked as a key, a pseudonym as one', () => {
  const marks = VAULT_STORES.flatMap(({ columns }) => Object.entries(columns));
  const named = (pattern: RegExp) => marks.filter(([name]) => pattern.test(name)).map(([, mark]) => mark.kind);
  expect(new Set(named(/^secret$|_key$/))).toEqual(new Set(['key']));
  expect(new Set(named(/^pseudonym$/))).toEqual(new Set(['pseudonym']));
});
