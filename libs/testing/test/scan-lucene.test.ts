import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { scanFolders, until, type Needle } from '../src/index.ts';

const stores = inject('stores');
const index = `scan-${randomBytes(4).toString('hex')}`;
let client: Client;
let folder: string;

beforeAll(async () => {
  client = new Client({ node: stores.elasticsearch });
  await client.indices.create({
    index,
    settings: { number_of_replicas: 0, refresh_interval: '-1', 'merge.policy.expunge_deletes_allowed': 0 },
    mappings: {
      dynamic: false,
      properties: { address: { type: 'keyword' }, words: { type: 'text' }, shown: { type: 'keyword', index: false } },
    },
  });
  const settings = await client.indices.getSettings({ index });
  const uuid = settings[index]?.settings?.index?.uuid;
  folder = join(stores.data.elasticsearch, 'indices', String(uuid));
});
afterAll(async () => {
  await client.indices.delete({ index });
  await client.close();
});

function mark(name: string): Needle {
  return { name, value: `temperror+${randomBytes(6).toString('hex')}@world.example` };
}

async function layers(needle: Needle): Promise<string[]> {
  const { findings, unopened } = await scanFolders({ folders: [folder], needles: [needle] });
  expect(unopened).toEqual([]);
  return [...new Set(findings.map(({ layer }) => layer))].toSorted();
}

const flush = () => client.indices.flush({ index, force: true, wait_if_ongoing: true });
/** Compresses, so that stored fields keep it in pieces. */
const document = ({ value }: Needle) => ({
  address: value,
  shown: value,
  filler: `${'temperror+ @world.example '.repeat(200)}${value}`,
});

describe('what Lucene keeps', () => {
  const [kept, deleted] = [mark('kept'), mark('deleted')];

  it('is found in the translog, then in a segment that no commit knows yet', async () => {
    await client.bulk({
      operations: [kept, deleted].flatMap((one) => [{ index: { _index: index, _id: one.name } }, document(one)]),
    });
    expect(await layers(deleted)).toEqual(['']);
    await client.indices.refresh({ index });
    expect(await layers(deleted)).toEqual(
      expect.arrayContaining(['', 'lucene doc values', 'lucene stored', 'lucene terms']),
    );
  });

  it('is found of a deleted document until its segment is merged away', async () => {
    await client.delete({ index, id: 'deleted' });
    await client.indices.refresh({ index });
    await flush();
    const { hits } = await client.search({ index, query: { match_all: {} } });
    expect(hits.hits.map(({ _id }) => _id)).toEqual(['kept']);
    const found = ['lucene doc values', 'lucene stored', 'lucene terms'];
    expect(await layers(deleted)).toEqual(expect.arrayContaining(found));
    expect(await layers(kept)).toEqual(expect.arrayContaining(found));
  });

  it('is gone once it is, and what lives is still there', { timeout: 60_000 }, async () => {
    const expunged = async () => {
      await flush();
      await client.indices.forcemerge({ index, only_expunge_deletes: true });
      return (await layers(deleted)).length === 0;
    };
    expect(await until(expunged, 50_000, 2_000)).toBe(true);
    expect(await layers(kept)).toEqual(expect.arrayContaining(['lucene stored']));
  });
});
