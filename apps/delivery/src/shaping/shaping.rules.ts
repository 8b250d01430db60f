import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EntriesFile } from '../settings/entries.file.ts';
import { mostSpecific } from '../settings/most-specific.ts';
import { largeProvider, PROVIDERS, type Provider, type Takes } from './providers.ts';

/** What is shaped as one: all exchangers of a provider or under an operator's name, else one address and port. */
export interface SiteRule {
  /** A provider, an operator's name, or an address: nobody's. */
  site: string;
  provider: Provider;
  /** Sessions at once, of all processes together. */
  sessions: number;
  messagesPerSession: number;
  /** Between the end of a message and the beginning of the next one in the same slot, in milliseconds. */
  pauseMs: number;
}

const NAME = /^\.?(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const MAX_SESSIONS = 1_000;

const entry = z
  .strictObject({
    match: z
      .string()
      .toLowerCase()
      .regex(NAME, 'must be the name of an exchanger, or `.` and a domain for all below it')
      .optional(),
    provider: z.enum(PROVIDERS.filter((each) => each !== 'other')).optional(),
    sessions: z.int().min(1).max(MAX_SESSIONS).optional(),
    messagesPerSession: z.int().min(1).max(1_000_000).optional(),
    messagesPerSecond: z.number().min(0.01).max(100_000).nullable().optional(),
  })
  .refine(({ match, provider }) => (match === undefined) !== (provider === undefined), {
    path: ['match'],
    message: 'an entry has either match or provider',
  });
type Entry = z.infer<typeof entry>;
const FILE = new EntriesFile('SHAPING', entry, 'entry', 'entries', 10_000);

/** What each site takes: what an operator says of it, what its provider takes, or what everybody does. */
export class ShapingRules {
  constructor(
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly others: Takes,
  ) {}

  of(host: string, address: string, port: number): SiteRule {
    const large = largeProvider(host);
    const told = large && this.entries.get(`provider ${large.provider}`);
    const named = this.entries.size === 0 ? undefined : mostSpecific(this.entries, host.toLowerCase());
    const takes = over(over(large?.takes ?? this.others, told), named);
    const site = named?.match ?? large?.provider ?? `${address} ${port}`;
    return { site, provider: large?.provider ?? 'other', ...paced(takes) };
  }
}

/** Reads `SHAPING`, a file of entries. Throws StartupError naming what is wrong where. */
export function readShaping(file: string | undefined, others: Takes): ShapingRules {
  const entries = new Map<string, Entry>();
  for (const { data, at } of FILE.read(file)) {
    const key = data.match ?? `provider ${data.provider}`;
    if (entries.has(key)) throw FILE.wrong(`${at}: ${data.match ? 'match' : 'provider'}: an entry above has the same`);
    entries.set(key, data);
  }
  return new ShapingRules(entries, others);
}

function over(takes: Takes, told: Entry | undefined): Takes {
  if (!told) return takes;
  return {
    sessions: told.sessions ?? takes.sessions,
    messagesPerSession: told.messagesPerSession ?? takes.messagesPerSession,
    // `null` takes a rate away that is shipped.
    messagesPerSecond:
      told.messagesPerSecond === undefined ? takes.messagesPerSecond : (told.messagesPerSecond ?? undefined),
  };
}

/**
 * A rate without a counter: every slot has its share of it. Whole messages a slot and second, so that no second has more than it may
 * anywhere, also one that begins in the midst of another.
 */
function paced({ sessions, messagesPerSession, messagesPerSecond: rate }: Takes): Omit<SiteRule, 'site' | 'provider'> {
  if (rate === undefined) return { sessions, messagesPerSession, pauseMs: 0 };
  if (rate < 1) return { sessions: 1, messagesPerSession, pauseMs: 1_000 / rate };
  const slots = Math.min(sessions, Math.floor(rate));
  return { sessions: slots, messagesPerSession, pauseMs: 1_000 / Math.floor(rate / slots) };
}

/** What processes call a site among each other, in 32 bits: two that are called the same share what each of them takes. */
export const hashOf = (site: string): number => createHash('sha256').update(site).digest().readInt32BE(0);
