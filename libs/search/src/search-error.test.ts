import { expect, it } from 'vitest';
import { outcomeOf } from './bulk.ts';
import { fitSettings } from './lifecycle.ts';
import { SearchError, errorType } from './search-error.ts';

it.each([
  [200, undefined, { outcome: 'ok' }],
  [201, undefined, { outcome: 'ok' }],
  [409, 'version_conflict_engine_exception', { outcome: 'conflict' }],
  [429, 'es_rejected_execution_exception', { outcome: 'retry', reason: 'es_rejected_execution_exception' }],
  [503, 'unavailable_shards_exception', { outcome: 'retry', reason: 'unavailable_shards_exception' }],
  [403, 'cluster_block_exception', { outcome: 'retry', reason: 'cluster_block_exception' }],
  [400, 'document_parsing_exception', { outcome: 'reject', reason: 'document_parsing_exception' }],
  [404, 'index_not_found_exception', { outcome: 'reject', reason: 'index_not_found_exception' }],
])('takes a bulk item with status %i as its outcome', (status, type, outcome) => {
  expect(outcomeOf({ status, error: type && { type, reason: 'jane@example.org' } })).toEqual(outcome);
});

it('reads the type of an error and nothing that could be a document', () => {
  expect(errorType({ type: 'failed for jane@example.org' })).toBe('unknown');
  expect(errorType(undefined)).toBe('unknown');
  expect(new SearchError(0, 'no_answer').message).toBe('Elasticsearch did not answer');
});

it('leaves lifecycle settings out where there is no lifecycle management', () => {
  const settings = { 'index.lifecycle.name': 'p', 'index.lifecycle.origination_date': 1, 'index.codec': 'x' };
  expect(fitSettings(settings, 'absent')).toEqual({ 'index.codec': 'x' });
  expect(fitSettings(settings, 'full')).toEqual(settings);
});
