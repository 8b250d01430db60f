import { describe, expect, it } from 'vitest';
import { TrustedNetworks } from './trusted.networks.ts';

const ACCOUNT = '019ab7a0-0000-7000-8000-00000000000a';
const of = (...cidrs: string[]): TrustedNetworks =>
  new TrustedNetworks(cidrs.map((cidr, nth) => `${cidr}=${ACCOUNT}/n${nth}.example`).join(', '));
const nameAt = (networks: TrustedNetworks, address: string | undefined) => networks.clientAt(address)?.domainName;

describe('a client', () => {
  it.each([
    ['10.1.0.0/16', '10.1.255.255', '10.2.0.0'],
    ['10.1.2.3/32', '10.1.2.3', '10.1.2.4'],
    ['127.0.0.0/8', '127.9.9.9', '128.0.0.1'],
    ['fd00:1::/32', 'fd00:1:ffff::1', 'fd00:2::1'],
    ['::1/128', '::1', '::2'],
    // IPv4 over a socket of IPv6, and an IPv4 network written that way.
    ['10.1.0.0/16', '::ffff:10.1.0.5', '::ffff:10.2.0.5'],
    ['::ffff:10.1.0.0/112', '10.1.0.5', '10.2.0.5'],
    ['::ffff:a01:0/112', '::ffff:a01:5', '::ffff:a02:5'],
  ])('%s has %s, not %s', (cidr, inside, outside) => {
    expect(nameAt(of(cidr), inside)).toBe('n0.example');
    expect(nameAt(of(cidr), outside)).toBeUndefined();
  });

  it.each(['0.0.0.0', '::', '127.0.0.1', '::1', 'unknown', '', undefined])(
    '%s is in none until one is set',
    (address) => {
      expect(new TrustedNetworks('').clientAt(address)).toBeUndefined();
    },
  );

  it('is not taken for one of IPv4 by the same octets', () => {
    expect(nameAt(of('10.0.0.0/8'), 'a00::1')).toBeUndefined();
    expect(nameAt(of('fd00::/32'), '253.0.0.1')).toBeUndefined();
  });

  it('is of the narrowest network, however that is written', () => {
    const networks = of('10.0.0.0/8', '::ffff:10.1.0.0/112', '10.1.2.0/24');
    expect(['10.9.9.9', '10.1.9.9', '10.1.2.9'].map((address) => nameAt(networks, address))).toEqual([
      'n0.example',
      'n1.example',
      'n2.example',
    ]);
    expect(networks.clientAt('10.9.9.9')).toMatchObject({ accountId: ACCOUNT });
  });
});

it.each([
  ['0.0.0.0/0', '0.0.0.0/0 is too wide'],
  ['10.0.0.0/7', 'is too wide'],
  ['::/0', '::/0 is too wide'],
  ['2000::/3', 'is too wide'],
  // All of IPv4, by another name.
  ['::ffff:0.0.0.0/96', 'is too wide'],
  ['::ffff:0:0/96', 'is too wide'],
  // All of IPv4 among others.
  ['::/32', 'is too wide'],
  ['::/80', 'is too wide'],
  ['::fffe:0:0/95', 'is too wide'],
  ['10.1.2.3/8', 'is an address, not a network'],
  ['10.1.2.128/24', 'is an address, not a network'],
  ['fd00::1/64', 'is an address, not a network'],
  ['10.0.0.0/33', 'is no network'],
  ['10.0.0/8', 'is no network'],
  ['somewhere/8', 'is no network'],
])('%s is refused', (cidr, reason) => {
  expect(() => of(cidr)).toThrow(reason);
});

it.each(['10.0.0.0/8', '10.0.0.0/8=mg.example.com', `10.0.0.0/8=${ACCOUNT}`, `10.0.0.0=${ACCOUNT}/a.example`])(
  '%s says not whose it is',
  (text) => {
    expect(() => new TrustedNetworks(text)).toThrow('must be a list such as');
  },
);

it('one network is nobody’s twice', () => {
  expect(() => of('10.1.0.0/16', '::ffff:10.1.0.0/112')).toThrow('10.1.0.0/16 is there twice');
  expect(() => new TrustedNetworks(`10.1.0.0/16=${ACCOUNT}/no domain`)).toThrow();
});
