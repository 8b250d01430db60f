import { createSecretKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { destinationPartition } from './destination.ts';

const KEY = createSecretKey(Buffer.alloc(32, 1));
const partitions = (domain: string, key = KEY) =>
  new Set(Array.from({ length: 200 }, (_, ordinal) => destinationPartition(key, domain, ordinal)));

describe('destinationPartition', () => {
  it('keeps a destination in one partition, a large provider in its few', () => {
    expect(partitions('small.example').size).toBe(1);
    expect(partitions('gmail.com').size).toBeGreaterThan(1);
    expect(partitions('gmail.com').size).toBeLessThanOrEqual(8);
  });

  it('spreads destinations over all partitions', () => {
    const used = new Set(Array.from({ length: 2_000 }, (_, n) => destinationPartition(KEY, `d${n}.example`, 0)));
    expect(used.size).toBe(64);
    expect(Math.max(...used)).toBe(63);
  });

  it('depends on the key: the number alone tells nobody who is mailed', () => {
    const domains = Array.from({ length: 50 }, (_, n) => `d${n}.example`);
    const under = (key: KeyObject) => domains.map((domain) => destinationPartition(key, domain, 0));
    expect(under(KEY)).not.toEqual(under(createSecretKey(Buffer.alloc(32, 2))));
  });
});
