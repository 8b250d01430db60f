import { describe, expect, it } from 'vitest';
import { checkSpf } from './spf.check.ts';

const ASKED = 'v=spf1 include:spf.lethe.example ~all';

/** A zone of TXT records, and the names that were asked for. */
function zone(records: Record<string, string | string[]>) {
  const asked: string[] = [];
  const all: Record<string, string | string[]> = { 'spf.lethe.example': 'v=spf1 ip4:192.0.2.1 -all', ...records };
  return {
    asked,
    txt: async (name: string): Promise<string[]> => {
      asked.push(name);
      return [all[name] ?? []].flat();
    },
  };
}
const check = (records: Record<string, string | string[]>, wanted = ASKED) =>
  checkSpf('d.example', wanted, zone(records).txt);
/** `d.example` includes `n1`, which includes `n2`, and so on; the last one includes us. */
function chain(length: number): Record<string, string> {
  const names = ['d.example', ...Array.from({ length }, (_, index) => `n${index + 1}.example`)];
  return Object.fromEntries(
    names.map((name, index) => [name, `v=spf1 include:${names[index + 1] ?? 'spf.lethe.example'} -all`]),
  );
}

describe('SPF lets us in', () => {
  it.each([
    ['as asked', ASKED],
    ['in any case, with a final dot', 'V=spf1 INCLUDE:SPF.lethe.example. -all'],
    ['among other records', ['google-site-verification=x', ASKED, 'v=spf10 -all']],
    ['among other mechanisms', 'v=spf1 mx ip4:198.51.100.0/24 +include:spf.lethe.example exp=why.d.example ?all'],
    ['by a redirect', 'v=spf1 redirect=all.example'],
    ['by another include', 'v=spf1 include:all.example -all'],
  ])('%s', async (_, record) => {
    expect(await check({ 'd.example': record, 'all.example': ASKED })).toBe('valid');
  });

  it('needs all that is asked for', async () => {
    const wanted = 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all';
    expect(await check({ 'd.example': 'v=spf1 ip6:2001:DB8::1 ip4:192.0.2.1 -all' }, wanted)).toBe('valid');
    expect(await check({ 'd.example': 'v=spf1 ip4:192.0.2.1 -all' }, wanted)).toBe('invalid');
  });

  it('by the tenth lookup, not by the eleventh', async () => {
    expect(await check(chain(9))).toBe('valid');
    expect(await check(chain(10))).toBe('invalid');
  });
});

describe('SPF does not let us in', () => {
  it.each<[string, Record<string, string | string[]>]>([
    ['without a record', {}],
    ['with another record alone', { 'd.example': 'v=DMARC1; p=none' }],
    ['with two records', { 'd.example': [ASKED, 'v=spf1 -all'] }],
    ['after an all', { 'd.example': 'v=spf1 -all include:spf.lethe.example' }],
    ['by a redirect beside an all', { 'd.example': 'v=spf1 ~all redirect=all.example', 'all.example': ASKED }],
    ['with a fail', { 'd.example': 'v=spf1 -include:spf.lethe.example +all' }],
    ['through an include that is no pass', { 'd.example': 'v=spf1 ?include:all.example', 'all.example': ASKED }],
    ['if what is included has no record', { 'd.example': ASKED, 'spf.lethe.example': [] }],
    ['with a mechanism that does not exist', { 'd.example': 'v=spf1 incude:x.example include:spf.lethe.example -all' }],
    ['past an include without a record', { 'd.example': 'v=spf1 include:gone.example include:spf.lethe.example -all' }],
  ])('%s', async (_, records) => {
    expect(await check(records)).toBe('invalid');
  });

  it('in a circle, which ends', async () => {
    const { txt, asked } = zone({ 'd.example': 'v=spf1 include:d.example -all' });
    expect(await checkSpf('d.example', ASKED, txt)).toBe('invalid');
    expect(asked).toHaveLength(11);
  });
});

it('goes past macros without asking, and says nothing where the DNS is silent', async () => {
  const { txt, asked } = zone({ 'd.example': 'v=spf1 include:%{i}.x.example include:spf.lethe.example -all' });
  expect(await checkSpf('d.example', ASKED, txt)).toBe('valid');
  expect(asked).toEqual(['d.example', 'spf.lethe.example']);
  const silence = new Error('silent');
  await expect(checkSpf('d.example', ASKED, () => Promise.reject(silence))).rejects.toBe(silence);
});
