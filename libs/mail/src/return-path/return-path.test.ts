import { createSecretKey, randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeReturnPath, readReturnPath } from './return-path.ts';

const key = createSecretKey(randomBytes(32));
const LARGEST = 0xffff_ffff;

/** Every text that differs from this one in one character. */
const changed = (text: string): string[] =>
  Array.from(text).flatMap((character, at) =>
    Array.from('0123456789abcdefghijklmnopqrstuvwxyz-')
      .filter((other) => other !== character)
      .map((other) => text.slice(0, at) + other + text.slice(at + 1)),
  );

describe('a return path', () => {
  it('names one recipient of one message, and is the same every time', () => {
    for (const messageId of [randomUUID(), randomUUIDv7(), '00000000-0000-0000-0000-000000000000']) {
      for (const ordinal of [0, 1, 4_999, LARGEST]) {
        const path = makeReturnPath(key, { messageId, ordinal });
        expect(readReturnPath(key, path)).toEqual({ messageId, ordinal });
        expect(makeReturnPath(key, { messageId, ordinal })).toBe(path);
      }
    }
  });

  // Computed by another program: what is on its way has to be read by the next version, too.
  it('has the form it has always had', () => {
    const known = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, n) => n)));
    const path = { messageId: '019ab7a0-0000-7000-8000-000000000abc', ordinal: 7 };
    expect(makeReturnPath(known, path)).toBe('b-06dbf80001o010000000000ang000007keni9juviui1gjtf4q1lekar');
  });

  it.each([0, LARGEST])('of recipient %d fits into a local part, with letters, digits and a hyphen', (ordinal) => {
    const path = makeReturnPath(key, { messageId: 'ffffffff-ffff-ffff-ffff-ffffffffffff', ordinal });
    expect(path).toMatch(/^b-[0-9a-v]{56}$/);
    expect(path.length).toBeLessThanOrEqual(64);
  });

  it('is read in whatever case it comes back', () => {
    const named = { messageId: randomUUIDv7(), ordinal: 3 };
    const path = makeReturnPath(key, named);
    const mixed = Array.from(path)
      .map((character, at) => (at % 2 === 0 ? character.toUpperCase() : character))
      .join('');
    expect([path.toUpperCase(), mixed].map((text) => readReturnPath(key, text))).toEqual([named, named]);
  });

  it('is none when a character of it is another, is missing, or is too many', () => {
    const path = makeReturnPath(key, { messageId: randomUUIDv7(), ordinal: 0 });
    const cut = Array.from({ length: path.length }, (_, length) => path.slice(0, length));
    const longer = [`${path}0`, `0${path}`, ` ${path}`, `${path}\n`, `${path}@bounces.example`];
    const wrong = [...changed(path), ...cut, ...longer];
    expect(wrong.length).toBeGreaterThan(2_000);
    expect(wrong.filter((text) => readReturnPath(key, text) !== undefined)).toEqual([]);
    expect(readReturnPath(key, path)).toBeDefined();
  });

  it('is none under another key, nor with the MAC of another', () => {
    const [one, two] = [0, 1].map((ordinal) => makeReturnPath(key, { messageId: randomUUIDv7(), ordinal }));
    expect(readReturnPath(createSecretKey(randomBytes(32)), one)).toBeUndefined();
    // 20 octets are 32 digits.
    expect(readReturnPath(key, one.slice(0, 34) + two.slice(34))).toBeUndefined();
  });

  it.each(['', 'b-', 'postmaster', 'jane.doe', 'bounce+5f2c1d-jane=doe.example', `b-${'0'.repeat(56)}`])(
    'is not %j',
    (text) => expect(readReturnPath(key, text)).toBeUndefined(),
  );
});
