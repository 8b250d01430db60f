import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Addresses that no server on the Internet has: the special-purpose registries of IANA (RFC 6890 and its updates), among them every
 * address at which clouds serve credentials (169.254.169.254, fd00:ec2::254, 100.100.100.200, 192.0.0.192).
 */
const SPECIAL = networks([
  '0.0.0.0/8', // this host; Linux takes it for loopback
  '10.0.0.0/8',
  '100.64.0.0/10', // shared by carriers (RFC 6598)
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays (RFC 7526)
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '2001::/23', // protocols, Teredo among them, which carries an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries an IPv4 address
  '3fff::/20', // documentation (RFC 9637)
]);

/** All that is assigned for unicast: what lies outside is loopback, link-local, unique local, multicast or nothing. */
const GLOBAL_UNICAST = networks(['2000::/3']);

/** IPv6 addresses that are an IPv4 address in other words: mapped (RFC 4291 §2.5.5.2), and translated (RFC 6052). */
const CARRIERS = networks(['::ffff:0:0/96', '64:ff9b::/96']);

const LOOPBACK = networks(['127.0.0.0/8', '::1/128']);

/** Whether it is an address of this machine alone. */
export function isLoopback(address: string): boolean {
  const family = familyOf(address);
  return family !== undefined && LOOPBACK.check(address, family);
}

/** Whether a server on the Internet can have this address. What is no address is not public. */
export function isPublic(address: string): boolean {
  const family = familyOf(address);
  if (family === 'ipv4') return !SPECIAL.check(address, 'ipv4');
  if (family === undefined) return false;
  if (CARRIERS.check(address, 'ipv6')) return isPublic(carried(address));
  return GLOBAL_UNICAST.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6');
}

/** Where we may connect to without being told to by a route. */
export const allowedAddress = (allow: 'loopback' | 'any'): ((address: string) => boolean) =>
  allow === 'any' ? isPublic : isLoopback;

function networks(list: readonly string[]): BlockList {
  const all = new BlockList();
  for (const network of list) {
    const [address = '', bits] = network.split('/');
    all.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return all;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  // An address with a zone (`fe80::1%eth0`) is link-local; a BlockList cannot read it.
  if (address.includes('%')) return undefined;
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address)];
}

/** The IPv4 address in the last four octets. */
function carried(address: string): string {
  const dotted = /[\d.]+$/.exec(address)?.[0];
  if (dotted?.includes('.')) return dotted;
  // The shortest form of the address (RFC 5952), which always has both of its last groups or ends in `::`.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(-2);
  const [high, low] = groups.map((group) => Number.parseInt(group || '0', 16)) as [number, number];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
