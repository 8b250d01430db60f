import { describe, expect, it } from 'vitest';
import { allowedAddress, isLoopback, isPublic } from './address.guard.ts';

describe('the address guard', () => {
  it.each([
    '8.8.8.8',
    '100.63.255.255',
    '172.32.0.1',
    '192.1.0.1',
    '223.255.255.254',
    '2a00:1450:4001::1b',
    '2001:4860:4860::8888',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('takes %s for public', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it.each([
    // This host, private, shared, loopback, link-local.
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.9',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    // Metadata of clouds.
    '169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '192.0.0.192',
    '::ffff:169.254.169.254',
    // Documentation, benchmarks, multicast, reserved.
    '192.0.2.1',
    '198.51.100.7',
    '203.0.113.9',
    '198.19.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    // IPv4 in other words: mapped in both spellings, translated, 6to4, Teredo, compatible.
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:7f00:1',
    '64:ff9b::a00:1',
    '64:ff9b::',
    '64:ff9b::7f00:1',
    '2002:a00:1::1',
    '2001:0:a00:1::1',
    '::10.0.0.1',
    '64:ff9b:1::808:808',
    // No addresses.
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '010.0.0.1',
    '[::1]',
  ])('does not take %s for public', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it('knows loopback, mapped or not, and nothing else', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost', '::1%lo'].some(isLoopback)).toBe(false);
  });

  it('allows one or the other, never both', () => {
    expect(['127.0.0.1', '8.8.8.8'].map(allowedAddress('loopback'))).toEqual([true, false]);
    expect(['127.0.0.1', '8.8.8.8'].map(allowedAddress('any'))).toEqual([false, true]);
  });
});
