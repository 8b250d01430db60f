import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readShaping } from './shaping.rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-shaping-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const others = { sessions: 20, messagesPerSession: 1_000 };
const read = (content: unknown) => {
  const file = join(folder, 'shaping.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readShaping(file, others);
};
const of = (rules: ReturnType<typeof read>, host: string) => rules.of(host, '192.0.2.1', 25);

describe('what a site takes', () => {
  it('is shipped for large providers, whose exchangers are one site, and the same for all others, each for itself', () => {
    const rules = readShaping(undefined, others);
    const google = of(rules, 'ASPMX.L.Google.com');
    expect(google).toEqual({ site: 'google', provider: 'google', sessions: 10, messagesPerSession: 50, pauseMs: 0 });
    expect(of(rules, 'gmail-smtp-in.l.google.com')).toEqual(google);
    expect(of(rules, 'alt1.aspmx.l.googlemail.com')).toEqual(google);
    expect(of(rules, 'notgoogle.com.example')).toEqual({
      site: '192.0.2.1 25',
      provider: 'other',
      sessions: 20,
      messagesPerSession: 1_000,
      pauseMs: 0,
    });
  });

  it('is what the operator says, as far as they do, by the longest name', () => {
    const rules = read([
      { provider: 'google', sessions: 3 },
      { match: '.example.com', sessions: 5, messagesPerSecond: 10 },
      { match: 'MX.example.com', messagesPerSession: 7 },
      { match: '.special.google.com', messagesPerSession: 2 },
    ]);
    expect(of(rules, 'a.google.com')).toMatchObject({ site: 'google', sessions: 3, messagesPerSession: 50 });
    expect(of(rules, 'b.Example.com')).toMatchObject({ site: '.example.com', sessions: 5, pauseMs: 500 });
    expect(of(rules, 'mx.example.com')).toMatchObject({ site: 'mx.example.com', sessions: 20, messagesPerSession: 7 });
    expect(of(rules, 'example.com')).toMatchObject({ site: '192.0.2.1 25' });
    expect(of(rules, 'a.special.google.com')).toMatchObject({
      site: '.special.google.com',
      provider: 'google',
      sessions: 3,
      messagesPerSession: 2,
    });
  });

  it.each([
    // Of whole messages a slot and second, never more than the rate.
    [20, 10, 10, 1_000],
    [4, 10, 4, 500],
    [3, 100, 3, 1_000 / 33],
    [5, 2.5, 2, 1_000],
    [5, 0.2, 1, 5_000],
  ])('as a rate is a pause: %d sessions, %d messages a second', (sessions, messagesPerSecond, slots, pauseMs) => {
    const { sessions: got, pauseMs: pause } = of(read([{ match: 'a.test', sessions, messagesPerSecond }]), 'a.test');
    expect(got).toBe(slots);
    expect(pause).toBeCloseTo(pauseMs);
    expect(slots * Math.ceil(1_000 / pause)).toBeLessThanOrEqual(Math.max(1, messagesPerSecond));
  });

  it('has no rate where the operator takes a shipped one away', () => {
    expect(of(readShaping(undefined, others), 'smtp-in.orange.fr').pauseMs).toBeGreaterThan(0);
    expect(of(read([{ provider: 'orange', messagesPerSecond: null }]), 'smtp-in.orange.fr').pauseMs).toBe(0);
  });

  it.each([
    ['no JSON', 'the file cannot be read as JSON'],
    [{}, 'the file must hold a list of at most 10000 entries'],
    [[{ match: 'a.test' }, { match: 'not a name' }], 'entry 2: match: must be the name of an exchanger'],
    [[{ match: 'a.test', sessions: 0 }], 'entry 1: sessions:'],
    [[{ match: 'a.test', messagesPerSecond: 0 }], 'entry 1: messagesPerSecond:'],
    [[{ provider: 'nobody' }], 'entry 1: provider:'],
    [[{ sessions: 1 }], 'entry 1: match: an entry has either match or provider'],
    [[{ match: 'a.test', provider: 'google' }], 'entry 1: match: an entry has either match or provider'],
    [[{ match: 'a.test', session: 1 }], 'entry 1: the entry: Unrecognized key'],
    [[{ match: 'a.test' }, { match: 'A.test' }], 'entry 2: match: an entry above has the same'],
    [[{ provider: 'google' }, { provider: 'google' }], 'entry 2: provider: an entry above has the same'],
  ])('is read only as a whole: %j', (content, says) => {
    expect(() => read(content)).toThrow(`SHAPING: ${says}`);
  });
});
