import type { Check } from './dns-records.ts';
import type { TxtOf } from './spf.check.ts';
import { tagList } from './tag-list.ts';

/** Names above a domain that are asked at most. */
const MAX_ABOVE = 5;

/**
 * Whether a DMARC policy is in force for a domain (RFC 7489 §6.6.3): the one at `_dmarc` below its name, whatever it demands,
 * or else that of the domain it lies in. Which of the names above is the organizational domain only a list of public
 * suffixes says: instead the first policy on the way up counts, below the top level. What `txt` throws passes through.
 */
export async function checkDmarc(domain: string, txt: TxtOf): Promise<Check> {
  for (const name of [domain, ...above(domain)]) {
    const records = (await txt(`_dmarc.${name}`)).filter((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text));
    const [record] = records;
    if (record === undefined) continue;
    // Of several records none counts.
    return records.length === 1 && isPolicy(record) ? 'valid' : 'invalid';
  }
  return 'invalid';
}

function above(domain: string): string[] {
  const labels = domain.split('.');
  return labels
    .slice(1, -1)
    .map((_, index) => labels.slice(index + 1).join('.'))
    .slice(-MAX_ABOVE);
}

/** Without a policy that can be read, an address for reports makes it `p=none`; without both there is none (§6.6.3). */
function isPolicy(record: string): boolean {
  const tags = tagList(record.toLowerCase());
  return /^(?:none|quarantine|reject)$/.test(tags.get('p') ?? '') || /\bmailto:\S+@\S/.test(tags.get('rua') ?? '');
}
