/** A text in which some octets were left out, and where the others came from. */
export interface Joined {
  readonly octets: Buffer;
  /** Offset in the original of an offset here. */
  original(offset: number): number;
}

export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Also escaped, as in JSON. */
const NEWLINE = String.raw`(?:\r?\n|\\r\\n|\\n)`;
const BREAKS = {
  /** Quoted-printable (RFC 2045 §6.7); in the other two a blank may belong to the text. */
  'soft breaks': new RegExp(`=${NEWLINE}`, 'g'),
  /** A header's line goes on with the white space it was folded at (RFC 5322 §2.2.3). */
  'folded lines': new RegExp(`${NEWLINE}(?=[ \\t])`, 'g'),
  /** Base64, also indented, and neighbouring encoded words (RFC 2045 §6.8, RFC 2047 §2). */
  'wrapped lines': new RegExp(String.raw`(?:\?=)?${NEWLINE}[ \t]*(?:=\?[\w-]{1,40}\?[BbQq]\?)?`, 'g'),
};

/** Line breaks that encoders put in the middle of what is looked for, by what puts them there. */
export function lineBreaks(octets: Buffer): [name: string, gaps: Gap[]][] {
  if (!octets.includes(0x0a) && !octets.includes('\\n')) return [];
  const text = octets.toString('latin1');
  return Object.entries(BREAKS).map(([name, breaks]) => [name, gaps(text, breaks)]);
}

function gaps(text: string, breaks: RegExp): Gap[] {
  const found: Gap[] = [];
  for (const match of text.matchAll(breaks)) {
    const [from, to] = [match.index, match.index + match[0].length];
    if (text.charCodeAt(from - 1) >= 0x20 && text.charCodeAt(to) >= 0x20) found.push({ from, to });
  }
  return found;
}

const WAL_PAGE = 8_192;
const WAL_PAGE_HEADER = 24;

/** Headers of WAL pages stand in the middle of records that go over the end of a page (XLogPageHeaderData, 24 octets). */
export function walPageHeaders(octets: Buffer, position: number): Gap[] {
  const gaps: Gap[] = [];
  const first = (WAL_PAGE - (position % WAL_PAGE)) % WAL_PAGE;
  for (let from = first; from < octets.length; from += WAL_PAGE) {
    if (position + from > 0) gaps.push({ from, to: Math.min(from + WAL_PAGE_HEADER, octets.length) });
  }
  return gaps;
}

/** What is around the gaps, up to `reach` octets each way, without them. Gaps closer to each other share one text. */
export function* joinedAround(octets: Buffer, gaps: readonly Gap[], reach: number): Generator<Joined> {
  for (let first = 0; first < gaps.length;) {
    let after = first + 1;
    while (after < gaps.length && gaps[after]!.from - gaps[after - 1]!.to <= reach) after += 1;
    yield join(octets, gaps.slice(first, after), reach);
    first = after;
  }
}

function join(octets: Buffer, gaps: readonly Gap[], reach: number): Joined {
  const parts: { start: number; at: number; octets: Buffer }[] = [];
  let start = Math.max(0, gaps[0]!.from - reach);
  let length = 0;
  const keep = (to: number): void => {
    const part = octets.subarray(start, to);
    parts.push({ start, at: length, octets: part });
    length += part.length;
  };
  for (const gap of gaps) {
    keep(gap.from);
    start = gap.to;
  }
  keep(Math.min(octets.length, start + reach));
  return {
    octets: Buffer.concat(parts.map((part) => part.octets)),
    original(offset) {
      let [low, high] = [0, parts.length - 1];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (parts[middle]!.at <= offset) low = middle;
        else high = middle - 1;
      }
      return parts[low]!.start + offset - parts[low]!.at;
    },
  };
}
