import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPools } from './ip.pools.ts';
import { assertOwn } from './own.addresses.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-pools-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const read = (content: unknown) => {
  const file = join(folder, 'pools.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readPools(file);
};
const [account, domain, other] = [randomUUID(), randomUUID(), randomUUID()];
const one = { address: '192.0.2.1' };

describe('pools of addresses', () => {
  it('are the domain’s, else the account’s, else the default one, else none', () => {
    const pools = read([
      { addresses: [{ ...one, ehlo: 'out1.example.net' }], domains: [domain] },
      { addresses: [{ address: '192.0.2.2' }], accounts: [account.toUpperCase()] },
      { addresses: [{ address: '2001:db8::3' }], default: true },
    ]);
    const of = (accountId: string, domainId: string) => pools.of({ accountId, domainId, messageId: randomUUIDv7() });
    expect(of(account, domain)).toEqual([{ address: '192.0.2.1', helo: 'out1.example.net' }]);
    expect(of(account, other)).toEqual([{ address: '192.0.2.2' }]);
    expect(of(other, other)).toEqual([{ address: '2001:db8::3' }]);
    expect(readPools(undefined).of({ accountId: account, domainId: domain, messageId: randomUUIDv7() })).toEqual([]);
    expect(pools.addresses).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::3']);
  });

  it('begin with the same address for a message at every attempt, and with each for as many messages', () => {
    const addresses = [1, 2, 3, 4].map((n) => ({ address: `192.0.2.${n}` }));
    const pools = read([{ addresses, default: true }]);
    const first = (messageId: string) => pools.of({ accountId: account, domainId: domain, messageId });
    const counts = new Map<string, number>();
    for (let n = 0; n < 2_000; n += 1) {
      const messageId = randomUUIDv7();
      const order = first(messageId);
      expect(first(messageId)).toEqual(order);
      expect(order.map((each) => each.address).toSorted()).toEqual(addresses.map((each) => each.address));
      const [{ address }] = order;
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    for (const { address } of addresses) expect(counts.get(address)).toBeGreaterThan(400);
  });

  it.each([
    ['no JSON', 'the file cannot be read as JSON'],
    [{}, 'the file must hold a list of at most 10000 pools'],
    [[{ addresses: [one] }], 'pool 1: accounts: nobody uses the pool'],
    [[{ addresses: [], default: true }], 'pool 1: addresses:'],
    [[{ addresses: [{ address: 'mail.example.net' }], default: true }], 'pool 1: addresses.0.address: must be an IP'],
    [[{ addresses: [one], accounts: ['somebody'] }], 'pool 1: accounts.0:'],
    [
      [
        { addresses: [one], default: true },
        { addresses: [one], default: true },
      ],
      'pool 2: default: a pool above has the same',
    ],
    [
      [
        { addresses: [one], domains: [domain] },
        { addresses: [one], domains: [domain] },
      ],
      `pool 2: ${domain}: a pool above has the same`,
    ],
    [
      [
        { addresses: [{ ...one, warmUp: { since: '2026-12-01', perDay: [50] } }], domains: [domain] },
        { addresses: [one], default: true },
      ],
      'pool 2: addresses.0: the same address has another ehlo or warmUp above',
    ],
    [
      [{ addresses: [{ address: '2001:db8::1' }, { address: '2001:DB8:0::1', ehlo: 'b.example' }], default: true }],
      'pool 1: addresses.1: the same address has another ehlo or warmUp above',
    ],
    [
      [{ addresses: [{ ...one, warmUp: { since: 'soon', perDay: [1] } }], default: true }],
      'pool 1: addresses.0.warmUp.since:',
    ],
    [
      [{ addresses: [{ ...one, warmUp: { since: '2026-12-01', perDay: [] } }], default: true }],
      'pool 1: addresses.0.warmUp.perDay:',
    ],
  ])('are read only as a whole: %j', (content, says) => {
    expect(() => read(content)).toThrow(`IP_POOLS: ${says}`);
  });

  it('have addresses of this machine alone', async () => {
    await expect(assertOwn(['127.0.0.1', '127.0.0.7'])).resolves.toBeUndefined();
    await expect(assertOwn(['127.0.0.1', '192.0.2.1'])).rejects.toThrow(
      'IP_POOLS: 192.0.2.1 is not an address of this machine',
    );
  });
});
