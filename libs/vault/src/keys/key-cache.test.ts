import { createSecretKey, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derivedFrom, held, KeyCache } from './key-cache.ts';

const sizes = { subjects: 3, accounts: 3, contentKeys: 3 };
const secret = () => held(Buffer.alloc(32, 7));
const recordKey = () => ({ key: createSecretKey(Buffer.alloc(32)), seals: 0 });

describe('the key cache', () => {
  it('holds no more than it may, and zeroes what leaves', () => {
    const cache = new KeyCache(sizes);
    const secrets = Array.from({ length: 4 }, secret);
    for (const [index, one] of secrets.entries()) {
      cache.subjects.set(`s${index}`, one);
      cache.subjects.get('s0');
    }
    expect(secrets.map(({ gone }) => gone)).toEqual([false, true, false, false]);
    expect(secrets[1]?.bytes).toEqual(Buffer.alloc(32));
    cache.clear();
    for (const { bytes, gone } of secrets) expect([gone, bytes]).toEqual([true, Buffer.alloc(32)]);
  });

  it('lets go of a revoked subject, its derived keys and its name, and of nobody else', () => {
    const cache = new KeyCache(sizes);
    const [one, other] = [secret(), secret()];
    cache.subjects.set('one', one);
    cache.subjects.set('other', other);
    cache.keepName('name', 'one');
    derivedFrom(one, 'period', recordKey);
    cache.revoke('subject', 'one');
    expect([one.gone, one.derived.size, cache.name('name')]).toEqual([true, 0, undefined]);
    expect([other.gone, cache.subjects.get('other')]).toEqual([false, other]);
  });

  it.each(['account', 'period'] as const)('lets go of everything when one %s is revoked', (kind) => {
    const cache = new KeyCache(sizes);
    const one = secret();
    cache.subjects.set('one', one);
    derivedFrom(one, 'period', recordKey);
    cache.revoke(kind, randomUUID());
    expect([one.gone, one.derived.size]).toEqual([true, 0]);
  });

  it('lets go of content keys that were condemned or dropped, and has what is under way read again', () => {
    const cache = new KeyCache({ ...sizes, contentKeys: 9 });
    const drops = { condemned: 2000, early: 1000, atTime: 2000, later: 2001 };
    const keys = Object.entries(drops).map(([name, dropAt]) => ({ name, key: { ...secret(), dropAt } }));
    for (const { name, key } of keys) cache.contentKeys.set(name, key);
    const left = () => keys.filter(({ key }) => !key.gone).map(({ name }) => name);
    const load = cache.beginLoad();
    expect(load.fresh()).toBe(true);
    cache.revoke('condemned', 'condemned');
    expect([left(), load.fresh()]).toEqual([['early', 'atTime', 'later'], false]);
    cache.revoke('dropped', new Date(2000).toISOString());
    expect(left()).toEqual(['later']);
    expect(load.revoked('message', 'condemned')).toBe(false);
    load.end();
  });

  it('does not answer a period past its limit', () => {
    const cache = new KeyCache(sizes);
    cache.keepPeriod('now', Buffer.alloc(32, 1), Date.now() + 60_000);
    cache.keepPeriod('past', Buffer.alloc(32, 1), Date.now());
    expect(cache.period('now')).toBeDefined();
    expect(cache.period('past')).toBeUndefined();
  });

  it('bounds the keys derived from one secret', () => {
    const one = secret();
    for (let index = 0; index < 100; index += 1) derivedFrom(one, `period ${index}`, recordKey);
    expect(one.derived.size).toBe(16);
  });
});

describe('a load', () => {
  it('knows what was revoked since it began, and not what was before', () => {
    const cache = new KeyCache(sizes);
    const earlier = cache.beginLoad();
    cache.revoke('subject', 'a');
    const later = cache.beginLoad();
    cache.revoke('message', 'b');
    expect([earlier.revoked('subject', 'a'), later.revoked('subject', 'a')]).toEqual([true, false]);
    expect([earlier.revoked('message', 'b'), later.revoked('message', 'b')]).toEqual([true, true]);
    expect(later.fresh()).toBe(true);
    cache.clear();
    expect(later.fresh()).toBe(false);
  });
});
