import { randomBytes } from 'node:crypto';
import { errors } from '@elastic/elasticsearch';
import { StartupError, isUnavailable } from '@lethe/service';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Search, SearchError, createClient } from '../src/index.ts';

const prefix = `search-${randomBytes(4).toString('hex')}-`;
const index = `${prefix}a`;
const blocked = `${prefix}blocked`;
const ADDRESS = 'jane.doe@example.org';

function connect(url: string): Search {
  return new Search(createClient({ ELASTICSEARCH_URL: url, ELASTICSEARCH_TIMEOUT_MS: 5000 }));
}

describe('Search on a real cluster', () => {
  let search: Search;

  beforeAll(async () => {
    search = connect(inject('stores').elasticsearch);
    await search.putTemplate(`${prefix}template`, {
      patterns: [`${prefix}*`],
      settings: {
        'index.number_of_shards': 1,
        'index.number_of_replicas': 0,
        'index.lifecycle.name': `${prefix}policy`,
      },
      mappings: {
        dynamic: 'strict',
        properties: { to: { type: 'keyword' }, count: { type: 'integer' } },
      },
    });
  });

  afterAll(async () => {
    await search.call((client) => client.indices.delete({ index: [index, blocked] }));
    await search.call((client) => client.indices.deleteIndexTemplate({ name: `${prefix}template` }));
  });

  it('makes a template that fits: with its policy only where there is lifecycle management', async () => {
    const lifecycle = await search.lifecycle();
    const { index_templates: templates } = await search.call((client) =>
      client.indices.getIndexTemplate({ name: `${prefix}template`, flat_settings: true }),
    );
    const settings = JSON.stringify(templates[0]?.index_template.template?.settings);
    expect(settings).toContain('number_of_shards');
    expect(settings.includes('lifecycle')).toBe(lifecycle === 'full');
  });

  it('creates an index once, without settings the cluster does not know', async () => {
    const settings = { 'index.lifecycle.origination_date': Date.UTC(2026, 0, 1), 'index.refresh_interval': '1s' };
    await search.createIndex(index, settings);
    await search.createIndex(index, settings);
    expect(await search.call((client) => client.indices.exists({ index }))).toBe(true);
  });

  it('answers per item what became of it, so that a replay is harmless', async () => {
    const good = { index, id: '1', document: { to: ADDRESS, count: 1 } };
    expect(await search.bulkIndex([good])).toEqual([{ outcome: 'ok' }]);
    const outcomes = await search.bulkIndex([
      good,
      { index, id: '2', document: { to: ADDRESS, count: ADDRESS } },
      { index, id: '3', document: { unknown: ADDRESS } },
      { ...good, op: 'index' },
      { index, id: '4', document: { to: ADDRESS } },
    ]);
    expect(outcomes).toEqual([
      { outcome: 'conflict' },
      { outcome: 'reject', reason: 'document_parsing_exception' },
      { outcome: 'reject', reason: 'strict_dynamic_mapping_exception' },
      { outcome: 'ok' },
      { outcome: 'ok' },
    ]);
    expect(await search.bulkIndex([])).toEqual([]);
  });

  it('asks to try again while an index takes no writes', async () => {
    await search.createIndex(blocked, { 'index.blocks.read_only_allow_delete': true });
    expect(await search.bulkIndex([{ index: blocked, id: '1', document: { to: 'x' } }])).toEqual([
      { outcome: 'retry', reason: 'cluster_block_exception' },
    ]);
  });

  it('fails without the documents: not in the message, not in the properties, not in a cause', async () => {
    const failure: unknown = await search
      .call((client) => client.index({ index, id: '9', document: { count: ADDRESS } }))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SearchError);
    expect(failure).toMatchObject({ status: 400, code: 'SEARCH_REFUSED', reason: 'document_parsing_exception' });
    const everything = JSON.stringify(failure, Object.getOwnPropertyNames(failure));
    expect(everything).not.toContain('jane');
    expect((failure as SearchError).cause).toBeUndefined();
  });
});

describe('Search without a cluster', () => {
  const away = connect('http://127.0.0.1:1');

  it('takes every item of a bulk as one to retry', async () => {
    const item = { index, id: '1', document: {} };
    const retry = { outcome: 'retry', reason: 'no_answer' };
    expect(await away.bulkIndex([item, item])).toEqual([retry, retry]);
  });

  it('says so in a way that callers wait and try again', async () => {
    const failure: unknown = await away.call((client) => client.info()).catch((error: unknown) => error);
    expect(isUnavailable(failure)).toBe(true);
    expect(failure).not.toBeInstanceOf(errors.ConnectionError);
    await expect(away.lifecycle()).rejects.toBeInstanceOf(SearchError);
    expect(failure).not.toBeInstanceOf(StartupError);
  });
});
