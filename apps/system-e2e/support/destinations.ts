/** What servers of a destination do, as a label of its domain (`Behaviours` of the SMTP world), and how many of 200 do. */
const KINDS = {
  fine: 120,
  /** Half a second before every answer that counts. */
  slow: 14,
  greylist: 20,
  /** Too busy, at every other try at an address. */
  '421': 14,
  /** Closes in the midst of the content, at every other try. */
  cut: 10,
  /** Keeps the message and closes without a word, at every other try: nobody can know that it did. */
  mute: 6,
  /** Offers TLS, and no handshake ends. */
  badtls: 8,
  /** Nobody lives there. */
  '550': 6,
  /** Never now. */
  temperror: 2,
} as const;
export type Kind = keyof typeof KINDS;

export interface Destination {
  readonly kind: Kind;
  readonly domain: string;
}

/** Prime to 200: kinds lie mixed. */
const STEP = 77;

/** 200 domains. */
export const DESTINATIONS: readonly Destination[] = (Object.keys(KINDS) as Kind[])
  .flatMap((kind) => Array.from({ length: KINDS[kind] }, () => kind))
  .map((_, n, all) => all[(n * STEP) % all.length] as Kind)
  .map((kind, n) => ({ kind, domain: `d${n}.${kind}.example` }));

/** Those where mail comes to its end by itself. */
export const ENDING = DESTINATIONS.filter(({ kind }) => kind !== 'temperror');
const DOMAINS_OF = Map.groupBy(DESTINATIONS, ({ kind }) => kind);

/** Domain `n` of a kind, round and round. */
export function domainOf(kind: Kind, n: number): string {
  const of = DOMAINS_OF.get(kind) ?? [];
  return of[n % of.length]?.domain ?? '';
}

export const kindOf = (address: string): Kind => address.split('.').at(-2) as Kind;
