const MASK = '<recipient>';
const MAX_INPUT = 8192;
const MAX_QUOTED = 322; // 64 octets of local part (RFC 5321 4.5.3.1.1), generously

/** An `@` and the ways it is written in diagnostics: percent, quoted-printable, entity and full-width forms. */
const AT = /@|%40|=40|&#0{0,4}64;|&#x0{0,4}40;|&commat;|\\x40|\\u0040|\uff20|\ufe6b/gi;
const BREAKS_LOCAL = /[\s<>()[\],;:"]/;
const DOMAIN_CHARACTER = /[A-Za-z0-9.\-_%\u0080-\uffff]/;

/**
 * Replaces every address in an SMTP reply or another diagnostic by `<recipient>` before it is kept or published: plain,
 * quoted (`"a b"@c`), bracketed, encoded (`a%40b`, `a&#64;b`, `a=40b`), rewritten (SRS and BATV, and VERP's `box+a=b.c`).
 * With `recipient`, its local part is replaced too where it stands alone ("mailbox jane.doe is full"). Linear; control
 * characters become blanks; the result has at most `maxLength` characters. A name that is no address stays: free text.
 */
export function maskAddresses(text: string, options: { recipient?: string; maxLength?: number } = {}): string {
  const { recipient, maxLength = 512 } = options;
  // Cut before masking only at a blank, so that no half of an address is left without its @.
  const whole = text.length <= MAX_INPUT;
  const lastBlank = whole ? text.length : text.lastIndexOf(' ', MAX_INPUT);
  const input = text
    .slice(0, Math.max(lastBlank, 0))
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ');
  const masked = maskVerp(maskAt(input));
  return cut(recipient === undefined ? masked : maskLocalPart(masked, recipient), maxLength);
}

function maskAt(text: string): string {
  let out = '';
  let done = 0;
  AT.lastIndex = 0;
  for (let match = AT.exec(text); match; match = AT.exec(text)) {
    let start = localStart(text, match.index, done);
    let end = domainEnd(text, match.index + match[0].length);
    // An @ inside a quoted local part: the address goes on behind the quote.
    if (text[start - 1] === '"' && start > done && text.startsWith('"@', end)) {
      start--;
      end = domainEnd(text, end + 2);
    }
    if (start === match.index) continue; // nothing before it: "users @example.com" names nobody
    // "<a@b>" as a whole, so that no brackets are doubled
    const bracketed = start > done && text[start - 1] === '<' && text[end] === '>';
    if (bracketed) end++;
    out += text.slice(done, bracketed ? start - 1 : start) + MASK;
    done = end;
    AT.lastIndex = end;
  }
  return out + text.slice(done);
}

/** Where the local part that ends at `at` begins; never before `floor`, so that no character is looked at twice. */
function localStart(text: string, at: number, floor: number): number {
  let start = at;
  if (text[at - 1] === '"') {
    const open = text.lastIndexOf('"', at - 2);
    if (open >= floor && at - open <= MAX_QUOTED) return open;
    start--;
  }
  while (start > floor && !BREAKS_LOCAL.test(text[start - 1] ?? ' ')) start--;
  return start;
}

function domainEnd(text: string, from: number): number {
  if (text[from] === '[') {
    const close = text.indexOf(']', from);
    return close > from && close - from < 64 ? close + 1 : from;
  }
  let end = from;
  while (end < text.length && DOMAIN_CHARACTER.test(text[end] ?? ' ')) end++;
  while (end > from && text[end - 1] === '.') end--;
  return end;
}

/** `bounces+jane=doe.example` without an @ after it. Without a `+` or `-` it is a property such as `header.d=doe.example`. */
function maskVerp(text: string): string {
  return text.replace(/[^\s<>()[\],;:"]+/g, (word) => {
    const equals = word.indexOf('=');
    const domain = word.slice(equals + 1);
    const isVerp =
      equals > 0 && /[+-]/.test(word.slice(0, equals)) && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z-]{2,}\.?$/i.test(domain);
    return isVerp ? MASK : word;
  });
}

function maskLocalPart(text: string, recipient: string): string {
  const at = recipient.lastIndexOf('@');
  const local = recipient
    .slice(0, at < 0 ? undefined : at)
    .replace(/^"|"$/g, '')
    .toLowerCase();
  const names = new Set([local, local.split('+', 1)[0] ?? '']);
  let out = text;
  for (const name of names) if (name.length >= 2) out = replaceWord(out, name);
  return out;
}

function replaceWord(text: string, word: string): string {
  const lower = text.toLowerCase();
  // Where lower-casing changes lengths (a few letters do), positions would not fit: then the case has to.
  const searched = lower.length === text.length ? lower : text;
  const isWordCharacter = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  let out = '';
  let done = 0;
  for (let at = searched.indexOf(word); at >= 0; at = searched.indexOf(word, at + word.length)) {
    if (isWordCharacter(text[at - 1]) || isWordCharacter(text[at + word.length])) continue;
    out += text.slice(done, at) + MASK;
    done = at + word.length;
  }
  return out + text.slice(done);
}

/** A mask cut in two would look like an address of its own. */
function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const short = text.slice(0, Math.max(maxLength - 1, 0));
  const open = short.lastIndexOf('<');
  return `${open >= 0 && MASK.startsWith(short.slice(open)) ? short.slice(0, open) : short}…`;
}
