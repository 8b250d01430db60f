import type { Check } from './dns-records.ts';

/** RFC 7208 §4.6.4: terms of one evaluation that may ask the DNS; one more is a permanent error for every receiver. */
const MAX_LOOKUPS = 10;
const MECHANISMS = new Set(['all', 'include', 'a', 'mx', 'ptr', 'ip4', 'ip6', 'exists']);
const LOOKS = new Set(['include', 'a', 'mx', 'ptr', 'exists']);

/** Texts of a name's TXT records; of an absent name none. What it throws passes through. */
export type TxtOf = (name: string) => Promise<string[]>;

/** A record no receiver can evaluate ("permerror", RFC 7208 §2.6.7). */
class PermanentError extends Error {}

/**
 * Whether a domain's SPF lets in whoever `asked` lets in (`v=spf1 include:spf.example ~all`): every mechanism of `asked` has
 * to be reached with a pass, in the domain's record or through its includes and redirect, before an `all` and within the ten
 * lookups that receivers grant. A receiver without a match so far goes on; with one it stops, and so does this.
 */
export async function checkSpf(domain: string, asked: string, txt: TxtOf): Promise<Check> {
  const walk = new Walk(passing(asked), txt);
  try {
    await walk.record(domain, true);
  } catch (error) {
    if (error instanceof PermanentError) return 'invalid';
    throw error;
  }
  return walk.missing.size === 0 ? 'valid' : 'invalid';
}

class Walk {
  private lookups = 0;

  constructor(
    readonly missing: Set<string>,
    private readonly txt: TxtOf,
  ) {}

  /** `passes`: whether a match in here is a pass of the whole. */
  async record(name: string, passes: boolean): Promise<void> {
    const records = (await this.txt(name)).filter((text) => /^v=spf1(?: |$)/i.test(text));
    // More than one: §4.5; none: an error of who includes it (§5.2) or redirects to it (§6.1).
    const [record] = records;
    if (record === undefined || records.length > 1) throw new PermanentError();
    let redirect: string | undefined;
    for (const term of terms(record)) {
      if (this.missing.size === 0) return;
      if (term.modifier === 'redirect') redirect = term.value;
      if (term.modifier !== undefined) continue;
      // What follows is never tested, and a redirect is ignored (§5.1).
      if (term.mechanism === 'all') return;
      if (passes && term.passes) this.missing.delete(term.text);
      if (LOOKS.has(term.mechanism)) this.countLookup();
      if (term.mechanism === 'include') await this.follow(term.value, passes && term.passes);
    }
    if (redirect === undefined || this.missing.size === 0) return;
    this.countLookup();
    await this.follow(redirect, passes);
  }

  /** A target with macros (§7) depends on the single message: it is counted and not followed. */
  private async follow(target: string, passes: boolean): Promise<void> {
    if (target === '') throw new PermanentError();
    if (!target.includes('%')) await this.record(target, passes);
  }

  private countLookup(): void {
    this.lookups += 1;
    if (this.lookups > MAX_LOOKUPS) throw new PermanentError();
  }
}

type Term = { value: string } & (
  | { modifier: string }
  | { modifier?: undefined; mechanism: string; passes: boolean; text: string }
);

/** RFC 7208 §4.6.1. Throws PermanentError at a mechanism that does not exist. */
function* terms(record: string): Generator<Term> {
  for (const term of record.toLowerCase().split(' ').slice(1)) {
    if (term === '') continue;
    const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/.exec(term);
    if (modifier) {
      yield { modifier: modifier[1] ?? '', value: bare(modifier[2] ?? '') };
      continue;
    }
    const [, sign = '+', text = '', mechanism = '', value = ''] = /^([+?~-]?)(([a-z0-9]*)[:/]?(.*))$/.exec(term) ?? [];
    if (!MECHANISMS.has(mechanism)) throw new PermanentError();
    yield { mechanism, passes: sign === '' || sign === '+', text: bare(text), value: bare(value) };
  }
}

/** What of a record lets somebody in. */
function passing(record: string): Set<string> {
  const found = [...terms(record)].flatMap((term) =>
    term.modifier === undefined && term.passes && term.mechanism !== 'all' ? [term.text] : [],
  );
  return new Set(found);
}

const bare = (name: string): string => name.replace(/\.$/, '');
