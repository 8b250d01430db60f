import { expect, it } from 'vitest';
import { checkDmarc } from './dmarc.check.ts';

const check = (records: Record<string, string[]>, domain = 'mail.d.example') =>
  checkDmarc(domain, async (name) => records[name] ?? []);

it.each([
  ['v=DMARC1; p=none'],
  ['v=DMARC1;p=reject;rua=mailto:reports@d.example'],
  ['v = DMARC1 ; sp=none; p = Quarantine'],
  ['v=DMARC1; rua=mailto:reports@d.example'],
])('takes %s', async (record) => {
  expect(await check({ '_dmarc.mail.d.example': [record, 'something else'] })).toBe('valid');
});

it.each([
  [['v=DMARC1; p=whatever']],
  [['v=DMARC1']],
  [['p=none; v=DMARC1']],
  [['v=dmarc1; p=none']],
  [['v=DMARC1; p=none', 'v=DMARC1; p=none']],
  [[]],
])('does not take %j', async (records) => {
  expect(await check({ '_dmarc.mail.d.example': records })).toBe('invalid');
});

it('takes the policy of the domain above, below the top level, unless there is one of its own', async () => {
  expect(await check({ '_dmarc.d.example': ['v=DMARC1; p=none'] })).toBe('valid');
  expect(await check({ '_dmarc.example': ['v=DMARC1; p=none'] })).toBe('invalid');
  expect(await check({ '_dmarc.mail.d.example': ['v=DMARC1; p=x'], '_dmarc.d.example': ['v=DMARC1; p=none'] })).toBe(
    'invalid',
  );
});

it('asks for few names, however deep the domain lies', async () => {
  const asked: string[] = [];
  const deep = `${'a.'.repeat(60)}d.example`;
  const txt = async (name: string): Promise<string[]> => {
    asked.push(name);
    return [];
  };
  expect(await checkDmarc(deep, txt)).toBe('invalid');
  expect(asked).toHaveLength(6);
  expect(asked.at(-1)).toBe('_dmarc.d.example');
});
