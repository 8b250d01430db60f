import { isIP, SocketAddress } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { MailAccepted } from '@lethe/contracts';
import { z } from 'zod';
import { EntriesFile } from '../settings/entries.file.ts';
import type { Source } from '../smtp/smtp-options.ts';

/** How much a new address may send to each provider on each day from the first on; after the last one as much as it takes. */
export interface WarmUp {
  /** UTC, `YYYY-MM-DD`. */
  since: string;
  perDay: readonly number[];
}

export interface PoolAddress extends Source {
  warmUp?: WarmUp;
}

const address = z.strictObject({
  address: z.string().refine((text) => isIP(text) !== 0, 'must be an IP address'),
  ehlo: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a name')
    .optional(),
  warmUp: z
    .strictObject({ since: z.iso.date(), perDay: z.array(z.int().min(0).max(1_000_000_000)).min(1).max(365) })
    .optional(),
});
const pool = z
  .strictObject({
    default: z.boolean().default(false),
    accounts: z.array(z.uuid()).default([]),
    domains: z.array(z.uuid()).default([]),
    addresses: z.array(address).min(1).max(256),
  })
  .refine(({ default: all, accounts, domains }) => all || accounts.length + domains.length > 0, {
    path: ['accounts'],
    message: 'nobody uses the pool: name accounts or domains, or make it the default',
  });

const FILE = new EntriesFile('IP_POOLS', pool, 'pool', 'pools', 10_000);

/** Which of our addresses mail leaves from. */
export class IpPools {
  constructor(private readonly pools: ReadonlyMap<string, readonly PoolAddress[]>) {}

  /** Every address there is, once. */
  get addresses(): string[] {
    return [...new Set([...this.pools.values()].flat().map((each) => each.address))];
  }

  /**
   * In the order in which they are to be tried: that of the domain's pool, else the account's, else the default one. None: the system
   * chooses. A message begins with the same one at every attempt, because a server that greylists knows it by its address.
   */
  of({ accountId, domainId, messageId }: Pick<MailAccepted, 'accountId' | 'domainId' | 'messageId'>): PoolAddress[] {
    const found = this.pools.get(domainId) ?? this.pools.get(accountId) ?? this.pools.get('default') ?? [];
    // Of an UUID the end is random.
    const first = found.length === 0 ? 0 : Number.parseInt(messageId.slice(-8), 16) % found.length;
    return [...found.slice(first), ...found.slice(0, first)];
  }
}

/** One spelling of each: sessions, pace and caps of an address are found by it. */
const canonical = (text: string): string =>
  isIP(text) === 6 && !text.includes('%') ? new SocketAddress({ address: text, family: 'ipv6' }).address : text;

/**
 * Reads `IP_POOLS`, a file of pools. Throws StartupError naming what is wrong where. An address is the same one in every pool: with
 * another name its sessions would say either, and with another cap it would send more than the lower one.
 */
export function readPools(file: string | undefined): IpPools {
  const pools = new Map<string, readonly PoolAddress[]>();
  const known = new Map<string, PoolAddress>();
  for (const { data, at } of FILE.read(file)) {
    const addresses = data.addresses.map(({ address: own, ehlo, warmUp }, index) => {
      const read: PoolAddress = {
        address: canonical(own),
        ...(ehlo === undefined ? {} : { helo: ehlo }),
        ...(warmUp === undefined ? {} : { warmUp }),
      };
      if (!isDeepStrictEqual(known.get(read.address) ?? read, read)) {
        throw FILE.wrong(`${at}: addresses.${index}: the same address has another ehlo or warmUp above`);
      }
      known.set(read.address, read);
      return read;
    });
    for (const id of [...(data.default ? ['default'] : []), ...data.accounts, ...data.domains]) {
      const user = id.toLowerCase();
      if (pools.has(user)) throw FILE.wrong(`${at}: ${user}: a pool above has the same`);
      pools.set(user, addresses);
    }
  }
  return new IpPools(pools);
}
