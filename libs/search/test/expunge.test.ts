import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import { isUnavailable } from '@lethe/service';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createClient, ExpungeError, Search } from '../src/index.ts';

const prefix = `expunge-${randomBytes(4).toString('hex')}-`;
const DOCUMENTS = 40;
/** What a pass may take on a machine that others use too. */
const PASS_MS = 120_000;

let client: Client;
let search: Search;

/** An index with documents of which each holds a mark of its own. */
async function makeIndex(name: string): Promise<{ index: string; marks: string[] }> {
  const index = prefix + name;
  const marks = Array.from({ length: DOCUMENTS }, () => randomBytes(12).toString('hex'));
  await search.createIndex(index, { 'index.number_of_replicas': 0, 'index.refresh_interval': -1 });
  await search.bulkIndex(marks.map((mark, id) => ({ index, id: String(id), document: { mark } })));
  await client.indices.refresh({ index });
  await client.indices.flush({ index });
  return { index, marks };
}

/** Marks that stand in a file of the index, translog included; compression may have taken the beginning of one elsewhere. */
async function marksInFiles(index: string, marks: readonly string[]): Promise<string[]> {
  const [{ uuid } = {}] = (await client.cat.indices({ index, h: ['uuid'], format: 'json' })) as { uuid?: string }[];
  const folder = join(inject('stores').data.elasticsearch, 'indices', uuid ?? 'unknown');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
  return marks.filter((mark) => bytes.some((content) => content.includes(mark.slice(-12))));
}

async function deletedIn(index: string): Promise<number> {
  const { indices } = await client.indices.segments({ index });
  const copies = Object.values(indices[index]?.shards ?? {}).flat();
  return copies.flatMap(({ segments }) => Object.values(segments)).reduce((sum, one) => sum + one.deleted_docs, 0);
}

beforeAll(() => {
  client = createClient({ ELASTICSEARCH_URL: inject('stores').elasticsearch, ELASTICSEARCH_TIMEOUT_MS: 60_000 });
  search = new Search(client);
});

afterAll(async () => {
  const left = (await client.cat.indices({ index: `${prefix}*`, h: ['index'], format: 'json' })) as { index: string }[];
  if (left.length > 0) await client.indices.delete({ index: left.map(({ index }) => index) });
  await client.close();
});

describe.concurrent('expunge', () => {
  it(
    'takes what was deleted and what was replaced out of the files, and nothing else',
    { timeout: PASS_MS },
    async () => {
      const { index, marks } = await makeIndex('files');
      const [deleted, replaced, ...stay] = marks as [string, string, ...string[]];
      // Less than a tenth of the segment: Elasticsearch would leave it alone.
      await client.delete({ index, id: '0' });
      await search.bulkIndex([{ index, id: '1', op: 'index', document: { mark: 'another' } }]);
      await client.indices.refresh({ index });
      await client.indices.flush({ index });
      expect(await marksInFiles(index, [deleted, replaced])).toEqual([deleted, replaced]);
      await search.expunge([index]);
      expect(await marksInFiles(index, [deleted, replaced])).toEqual([]);
      expect(await marksInFiles(index, stay)).toEqual(stay);
      expect(await deletedIn(index)).toBe(0);
      expect((await client.count({ index })).count).toBe(DOCUMENTS - 1);
    },
  );

  it('ends although the same index is written, changed and deleted from meanwhile', { timeout: PASS_MS }, async () => {
    const { index, marks } = await makeIndex('busy');
    const [deleted] = marks as [string];
    const stop = new AbortController();
    const write = async (): Promise<number> => {
      let writes = 0;
      for (; !stop.signal.aborted; writes += 1) {
        await client.index({ index, id: `busy${writes % 20}`, document: { mark: 'busy' } });
        if (writes % 10 === 0) await client.delete({ index, id: `busy${writes % 20}` });
      }
      return writes;
    };
    const writing = write();
    try {
      await client.delete({ index, id: '0' });
      await search.expunge([index]);
      expect(await marksInFiles(index, [deleted])).toEqual([]);
    } finally {
      stop.abort();
      expect(await writing).toBeGreaterThan(40);
    }
  });

  it('is one pass for all who ask at the time', { timeout: PASS_MS }, async () => {
    const own = createClient({ ELASTICSEARCH_URL: inject('stores').elasticsearch, ELASTICSEARCH_TIMEOUT_MS: 60_000 });
    const asked: string[] = [];
    own.diagnostic.on('request', (_error, request) => asked.push(request?.meta.request.params.path ?? ''));
    const shared = new Search(own);
    const [one, two] = [await makeIndex('one'), await makeIndex('two')];
    await client.delete({ index: one.index, id: '0' });
    await client.delete({ index: two.index, id: '0' });
    const early = Array.from({ length: 20 }, (_, turn) => shared.expunge(turn % 2 === 0 ? [one.index] : [two.index]));
    await sleep(1_000);
    // The pass waits for the leases; whoever comes now waits with it.
    const late = shared.expunge([one.index, two.index, `${prefix}none`]);
    await Promise.all([...early, late]);
    await own.close();
    const count = (part: string): number => asked.filter((path) => path.includes(part)).length;
    expect(count('_forcemerge')).toBeLessThanOrEqual(3);
    expect(count('_refresh')).toBeLessThanOrEqual(5);
    expect(count('_stats')).toBeLessThan(200);
    expect(await marksInFiles(one.index, one.marks.slice(0, 1))).toEqual([]);
    expect(await marksInFiles(two.index, two.marks.slice(0, 1))).toEqual([]);
  });

  it('says what holds it up when it has waited long enough: a lease', { timeout: PASS_MS }, async () => {
    const { index } = await makeIndex('lease');
    await client.delete({ index, id: '0' });
    const failure: unknown = await search.expunge([index], 1_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ExpungeError);
    expect(failure).toMatchObject({ reason: 'lease-held', indices: [index] });
    expect(isUnavailable(failure)).toBe(true);
  });

  it('says what holds it up: a point in time; the others of its pass are done', { timeout: PASS_MS }, async () => {
    const [{ index, marks }, other] = [await makeIndex('held'), await makeIndex('free')];
    const { id } = await client.openPointInTime({ index, keep_alive: '5m' });
    await client.delete({ index, id: '0' });
    await client.delete({ index: other.index, id: '0' });
    const both = await Promise.allSettled([search.expunge([index]), search.expunge([other.index])]);
    expect(both[0]).toMatchObject({ status: 'rejected', reason: { reason: 'search-context-open', indices: [index] } });
    expect(both[1]).toEqual({ status: 'fulfilled', value: undefined });
    expect(await marksInFiles(index, marks.slice(0, 1))).toHaveLength(1);
    await client.closePointInTime({ id });
    await search.expunge([index]);
    expect(await marksInFiles(index, marks.slice(0, 1))).toEqual([]);
  });

  it('takes names alone: no pattern, and nothing for nothing', async () => {
    await expect(search.expunge([`${prefix}*`])).rejects.toThrow(TypeError);
    await expect(search.expunge(['_all'])).rejects.toThrow(TypeError);
    await search.expunge([]);
    await search.expunge([`${prefix}never-there`]);
  });
});
