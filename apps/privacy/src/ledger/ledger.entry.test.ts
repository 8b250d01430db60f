import { expect, it } from 'vitest';
import { entryHash, NO_HASH, type LedgerEntry } from './ledger.entry.ts';

const entry: Omit<LedgerEntry, 'hash'> = {
  position: 7,
  kind: 'erasure',
  requestId: 'r',
  accountId: 'a',
  subjects: ['s1', 's2'],
  messages: [{ messageId: 'm', dropAt: new Date(1_000) }],
  at: new Date(2_000),
  previousHash: NO_HASH,
};

it.each<[string, Partial<Omit<LedgerEntry, 'hash'>>]>([
  ['another position', { position: 8 }],
  ['another kind', { kind: 'release' }],
  ['another request', { requestId: 'q' }],
  ['no account', { accountId: null }],
  ['a subject less', { subjects: ['s1'] }],
  ['subjects run together', { subjects: ['s1s2'] }],
  ['another drop time', { messages: [{ messageId: 'm', dropAt: new Date(1_001) }] }],
  ['another time', { at: new Date(2_001) }],
  ['another entry before', { previousHash: Buffer.alloc(32, 1) }],
])('%s: another hash', (_, change) => {
  expect(entryHash({ ...entry, ...change })).not.toEqual(entryHash(entry));
});

it('is the same for the same', () => {
  expect(entryHash({ ...entry, subjects: [...entry.subjects] })).toEqual(entryHash(entry));
});
