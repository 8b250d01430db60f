import { EXAMPLES, MAIL_EVENTS, SUPPRESSION_ENTRIES, type MailEvent } from '@lethe/contracts';
import { describe, expect, it } from 'vitest';
import { retryDelay } from '../consume/outcome.ts';
import { decodeRecord } from './decode.ts';
import { encodeRecords, markMaybeDuplicate } from './encode.ts';

const [event] = EXAMPLES['mail-events'] as [MailEvent];
const outgoing = { key: event.messageId, value: event, id: event.id, type: event.type, time: event.at };
const wire = (value: string | null, headers = {}) => ({
  key: Buffer.from('key'),
  value: value === null ? null : Buffer.from(value),
  timestamp: '5',
  attributes: 0,
  offset: '0',
  headers,
});

describe('encoding', () => {
  it('carries CloudEvents headers, and a second attempt is marked', () => {
    const [record] = encodeRecords(MAIL_EVENTS, [outgoing], 'ingest');
    expect(record?.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_type: 'accepted',
      ce_source: 'ingest',
      ce_time: new Date(event.at).toISOString(),
      'content-type': 'application/json',
    });
    if (!record) throw new Error('nothing encoded');
    const marked = markMaybeDuplicate(record);
    expect(decodeRecord(MAIL_EVENTS, wire(marked.value, marked.headers))).toMatchObject({
      value: event,
      id: event.id,
      source: 'ingest',
      time: event.at,
      maybeDuplicate: true,
    });
  });

  it('refuses what breaks the contract, naming the field and never the value', () => {
    const broken = {
      ...outgoing,
      value: { ...event, recipient: { ...event.recipient, role: 'jane@example.com' as 'to' } },
    };
    expect(() => encodeRecords(MAIL_EVENTS, [broken], 'ingest')).toThrow(/mail-events .* at recipient\.role/);
    expect(() => encodeRecords(MAIL_EVENTS, [broken], 'ingest')).not.toThrow(/jane/);
  });

  it('refuses what is too large for a produce call before anybody commits it', () => {
    const envelope = `${event.recipient.envelope}${'x'.repeat(600_000)}`;
    const large = { ...outgoing, value: { ...event, recipient: { ...event.recipient, envelope } } };
    expect(() => encodeRecords(MAIL_EVENTS, [large], 'ingest')).toThrow(/mail-events is larger than/);
  });

  it('takes tombstones on compacted topics alone', () => {
    const [tombstone] = encodeRecords(SUPPRESSION_ENTRIES, [{ ...outgoing, value: null }], 'suppression');
    expect(tombstone?.value).toBeNull();
    expect(() => encodeRecords(MAIL_EVENTS, [{ ...outgoing, value: null as never }], 'ingest')).toThrow(/no tombstone/);
  });
});

describe('decoding', () => {
  it.each([
    ['{"half', '(not JSON)'],
    [null, '(no value)'],
    ['7', '(value)'],
    [JSON.stringify({ ...event, at: 'noon' }), 'at'],
  ])('%j is a breach at %s', (value, detail) => {
    expect(decodeRecord(MAIL_EVENTS, wire(value))).toEqual({ reason: 'contract', detail });
  });
});

it('retry delays grow from 100 ms to 30 s and honour what was asked', () => {
  expect([1, 2, 3, 20].map((attempt) => retryDelay(attempt, 0))).toEqual([100, 200, 400, 30_000]);
  expect(retryDelay(1, 5_000)).toBe(5_000);
  expect(retryDelay(1, 10_000_000)).toBe(30_000);
});
