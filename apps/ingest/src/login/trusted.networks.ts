import { BlockList, isIP, isIPv6 } from 'node:net';
import { canonicalDomain } from '@lethe/mail';

/** Wider than any network that is somebody's own: 10.0.0.0/8 is the widest private one (RFC 1918), of IPv6 a site has a /48. */
const WIDEST = { ipv4: 8, ipv6: 32 } as const;
/** The first octets of ::ffff:0:0/96. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const FORM = 'must be a list such as 10.1.0.0/16=<account id>/mg.example.com, separated by commas';

/** Whom a client of a trusted network is taken for. */
export interface TrustedClient {
  readonly accountId: string;
  /** As A-labels. */
  readonly domainName: string;
}

interface TrustedNetwork extends TrustedClient {
  readonly cidr: string;
  readonly bits: number;
  readonly members: BlockList;
}

/**
 * Networks whose clients hand mail in without signing in, as Postfix's `mynetworks`: old in-house senders that cannot. Judged by
 * the address of the connection itself; nothing a client or a proxy says changes it.
 */
export class TrustedNetworks {
  /** The narrowest first; those of the two families hold nobody in common. */
  private readonly networks: readonly TrustedNetwork[];

  /** @throws Error whose text names the network and what is wrong with it. */
  constructor(text: string) {
    const entries = text.split(',').map((entry) => entry.trim());
    this.networks = entries
      .filter((entry) => entry !== '')
      .map(readEntry)
      .toSorted((one, other) => other.bits - one.bits);
    const cidrs = this.networks.map(({ cidr }) => cidr);
    const doubled = cidrs.find((cidr, index) => cidrs.indexOf(cidr) !== index);
    if (doubled !== undefined) throw new Error(`${doubled} is there twice`);
  }

  /** The client at this address; undefined: it has to sign in. Where networks lie in each other, the narrowest decides. */
  clientAt(address: string | undefined): TrustedClient | undefined {
    if (address === undefined || isIP(address) === 0) return undefined;
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return this.networks.find(({ members }) => members.check(address, family));
  }
}

function readEntry(entry: string): TrustedNetwork {
  const match = /^([^\s/=]+)\/(\d{1,3})=([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\/(\S+)$/i.exec(entry);
  if (!match) throw new Error(`it ${FORM}`);
  const [, written = '', prefix, accountId = '', name = ''] = match;
  const domainName = canonicalDomain(name);
  if (domainName === undefined) throw new Error(`'${name}' is no domain`);
  return { ...readNetwork(written, Number(prefix)), accountId: accountId.toLowerCase(), domainName };
}

/**
 * An IPv4 network written as mapped (`::ffff:10.0.0.0/104`, RFC 4291 §2.5.5.2) is the IPv4 network; one of IPv6 that has all of
 * those in it is wider than IPv4.
 */
function readNetwork(written: string, writtenBits: number): Pick<TrustedNetwork, 'cidr' | 'bits' | 'members'> {
  const cidr = `${written}/${writtenBits}`;
  if (isIP(written) === 0) throw new Error(`'${cidr}' is no network: the setting ${FORM}`);
  const octets = octetsOf(written);
  const isMapped =
    isIPv6(written) &&
    MAPPED.every((octet, index) => ((octet ^ (octets[index] ?? 0)) & ~hostMask(writtenBits - index * 8) & 0xff) === 0);
  const family = isIPv6(written) && !isMapped ? 'ipv6' : 'ipv4';
  const own = isMapped ? octets.subarray(MAPPED.length) : octets;
  const bits = isMapped ? writtenBits - MAPPED.length * 8 : writtenBits;
  if (bits < WIDEST[family]) {
    throw new Error(
      `${cidr} is too wide: whoever is in it sends without signing in; at most a /${WIDEST.ipv4} of IPv4, a /${WIDEST.ipv6} of IPv6`,
    );
  }
  if (bits > own.length * 8) throw new Error(`'${cidr}' is no network: the setting ${FORM}`);
  if (own.some((octet, index) => (octet & hostMask(bits - index * 8)) !== 0)) {
    throw new Error(`${cidr} is an address, not a network: its bits after the first ${writtenBits} must be zero`);
  }
  const members = new BlockList();
  const address = family === 'ipv4' ? own.join('.') : written;
  members.addSubnet(address, bits, family);
  return { cidr: `${family === 'ipv4' ? address : own.toString('hex')}/${bits}`, bits, members };
}

/** The bits of an octet that are not the network's, of which it has the first `bits`. */
const hostMask = (bits: number): number => (bits >= 8 ? 0 : 0xff >> Math.max(0, bits));

/** In network order; WHATWG's parser knows every way to write an IPv6 address, and writes it one way. */
function octetsOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
