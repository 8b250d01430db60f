import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { migrateBodies } from '@lethe/bodies';
import { RETENTION_CHECK_MS, TOPICS, type StoreDeclaration } from '@lethe/contracts';
import { migrateDatabase, type Migrations } from '@lethe/database';
import {
  createDatabase,
  createTopics,
  createVault,
  deleteTopics,
  kafkaAdmin,
  withClient,
  type SuiteDatabase,
} from '@lethe/testing';
import { migrateVault } from '@lethe/vault';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { declaredStores } from '../declared-stores.ts';
import { differences, realTables } from '../real-tables.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const suite = `map${randomBytes(4).toString('hex')}`;
const stores = inject('stores');
const services = globSync('apps/*/src/migrate.ts', { cwd: root }).map((file) => file.split('/')[1] as DatabaseOwner);
/** `ConfigResourceTypes.TOPIC` of kafkajs, which tools do not have. */
const TOPIC = 2 as never;
type DatabaseOwner = Parameters<typeof createDatabase>[1];

let declared: StoreDeclaration[];
beforeAll(async () => {
  declared = await declaredStores(root);
});

/** A service's own migrations, wherever in its sources they are. */
async function migrationsOf(service: string): Promise<Migrations> {
  const [file, ...more] = globSync(`apps/${service}/src/**/migrations.ts`, { cwd: root });
  if (file === undefined || more.length > 0) throw new Error(`${service} has to have one migrations.ts`);
  const exported = (await import(pathToFileURL(join(root, file)).href)) as { MIGRATIONS: Migrations };
  return exported.MIGRATIONS;
}

describe.each(services)('the database of %s', (service) => {
  let database: SuiteDatabase;
  const ofService = () => declared.filter(({ owner, store }) => owner === service && !store.startsWith('vault.'));
  const compared = () =>
    withClient(database.adminUrl, async (client) => differences(ofService(), await realTables(client)));

  beforeAll(async () => {
    database = await createDatabase(stores, service, suite);
    await migrateDatabase(database.url, await migrationsOf(service));
    if (service === 'ingest') await migrateBodies(database.url);
  });
  afterAll(() => database?.drop());

  it('has no table and no column but the declared ones, and all of these', async () => {
    expect(await compared()).toEqual([]);
  });

  it('is noticed with one table, or one column, more', async () => {
    const [{ table } = { table: '' }] = ofService();
    await withClient(database.adminUrl, (client) =>
      client.query(`CREATE TABLE public.planted (id int); ALTER TABLE ${table} ADD COLUMN planted text`),
    );
    expect(await compared()).toEqual([
      'public.planted is made by a migration and declared nowhere: add it to stores.ts of its service',
      `${table}.planted is not marked: add it to stores.ts`,
    ]);
  });
});

describe('the vault', () => {
  it('has no table and no column but the declared ones, and all of these', async () => {
    const vault = await createVault(stores, suite);
    try {
      await migrateVault(vault.ownerUrl);
      const ofVault = declared.filter(({ store }) => store.startsWith('vault.'));
      const real = await withClient(vault.adminUrl, realTables);
      expect(differences(ofVault, real)).toEqual([]);
      expect(differences(ofVault.slice(1), real)).not.toEqual([]);
    } finally {
      await vault.drop();
    }
  });
});

describe('Elasticsearch', () => {
  const index = `${suite}-planted`;
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${stores.elasticsearch}/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, any> };
  };
  interface Field {
    properties?: Record<string, Field>;
    meta?: { personal?: string };
  }
  const fieldsOf = (properties: Record<string, Field>, prefix = ''): [string, string | undefined][] =>
    Object.entries(properties).flatMap(([name, field]) =>
      field.properties
        ? fieldsOf(field.properties, `${prefix}${name}.`)
        : [[prefix + name, field.meta?.personal] as [string, string | undefined]],
    );

  beforeAll(async () => {
    const file = pathToFileURL(join(root, 'apps/events/src/index/event.mapping.ts')).href;
    const { EVENT_ANALYSIS: analysis, EVENT_MAPPING: mappings } = (await import(file)) as Record<string, object>;
    await call('PUT', index, { settings: { analysis, 'index.number_of_replicas': 0 }, mappings });
  });
  afterAll(() => call('DELETE', index));

  it('has no field but the declared ones, each with the mark that is declared', async () => {
    const { body } = await call('GET', `${index}/_mapping`);
    const real = new Map(fieldsOf(body[index].mappings.properties));
    const indices = declared.filter(({ kind }) => kind === 'index');
    expect(indices.length).toBeGreaterThan(0);
    for (const { store, columns } of indices) {
      const marks = Object.entries(columns).map(([name, mark]) => [
        name,
        mark.kind === 'personal' ? mark.category : 'no',
      ]);
      expect(real, store).toEqual(new Map(marks as [string, string][]));
    }
  });

  it('takes no field and makes no index that was not declared', async () => {
    expect((await call('POST', `${index}/_doc`, { id: 'x' })).status).toBe(201);
    expect((await call('POST', `${index}/_doc`, { id: 'x', planted: 'x' })).status).toBe(400);
    expect((await call('POST', `${index}-other/_doc`, { id: 'x' })).status).toBe(404);
  });
});

describe('Kafka', () => {
  const prefix = `${suite}-`;
  const withAdmin = kafkaAdmin(stores.kafka.brokers, stores.kafka.admin);
  beforeAll(() => createTopics(stores, prefix));
  afterAll(() => deleteTopics(stores, prefix));

  it('has the declared topics and their dead letters, and forgets each in time', async () => {
    const expected = new Map(
      TOPICS.flatMap(({ name, deadLetter, cleanup }) => [
        [prefix + name, cleanup] as const,
        [prefix + deadLetter, cleanup] as const,
      ]),
    );
    await withAdmin(async (admin) => {
      const made = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
      expect(new Set(made)).toEqual(new Set(expected.keys()));
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: made.map((name) => ({ type: TOPIC, name })),
      });
      for (const { resourceName, configEntries } of resources) {
        const setting = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
        const cleanup = expected.get(resourceName);
        const longest = Number(setting.get('retention.ms')) + Number(setting.get('segment.ms')) + RETENTION_CHECK_MS;
        if (cleanup?.kind === 'time-limited') {
          expect(setting.get('cleanup.policy'), resourceName).toBe('delete');
          expect(longest, resourceName).toBeLessThanOrEqual(cleanup.limitMs);
        } else expect(setting.get('cleanup.policy'), resourceName).toBe('compact');
      }
    });
  });

  it('makes no topic that was not declared', async () => {
    await withAdmin(async (admin) => {
      await expect(admin.fetchTopicMetadata({ topics: [`${prefix}planted`] })).rejects.toThrow();
      expect(await admin.listTopics()).not.toContain(`${prefix}planted`);
    });
  });
});
