import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord, quickRecords } from './record-encoder.ts';

const require = createRequire(import.meta.url);
const ORIGINAL = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const PRODUCE = require.resolve('kafkajs/src/protocol/requests/produce/v3/request.js');
type Encode = (message: object) => { buffer: Buffer };

describe('records in wire form', () => {
  let original: Encode;
  beforeAll(() => {
    delete require.cache[ORIGINAL];
    original = require(ORIGINAL) as Encode;
  });

  it.each([
    ['nothing in it', { value: null }],
    ['texts', { key: 'key', value: 'ä value ✓', headers: { one: 'first', two: 'zwölf' } }],
    ['octets', { key: Buffer.from([1, 2]), value: Buffer.alloc(70_000, 3), headers: { one: Buffer.alloc(200) } }],
    ['a header more than once', { key: 'key', value: 'value', headers: { one: ['first', Buffer.from('second')] } }],
    ['empty texts', { key: '', value: '', headers: { one: '' } }],
    ['its place in a long batch', { key: 'key', value: 'value', offsetDelta: 1_999, timestampDelta: 123_456_789_012 }],
    ['another time than the first', { key: 'key', value: 'value', offsetDelta: 64, timestampDelta: -3 }],
    ['63 and 64 octets', { key: 'k'.repeat(63), value: 'v'.repeat(64) }],
  ])('are what kafkajs makes of a record with %s', (_, message) => {
    expect(encodeRecord(message).buffer.toString('hex')).toBe(original(message).buffer.toString('hex'));
  });

  it('are made here once kafkajs is loaded', async () => {
    quickRecords();
    delete require.cache[PRODUCE];
    const request = require(PRODUCE) as (call: object) => { encode(): Promise<{ buffer: Buffer }> };
    const messages = [{ key: 'key', value: 'v'.repeat(5), headers: { one: 'first' } }];
    const topicData = [{ topic: 'some', partitions: [{ partition: 1, firstSequence: 0, messages }] }];
    const { buffer } = await request({ acks: -1, timeout: 1, topicData }).encode();
    expect(buffer.includes(encodeRecord(messages[0] as { value: string }).buffer)).toBe(true);
    expect(require(ORIGINAL)).toBe(encodeRecord);
  });
});
