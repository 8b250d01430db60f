/** One way a value can be written. */
export interface Encoded {
  readonly variant: string;
  readonly octets: Buffer;
  /** ASCII letters match in either case: texts and hexadecimal digits, not base64 and digests. */
  readonly anyCase: boolean;
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Every way `value` itself is looked for. Forms that turn out equal appear once, under the first name. */
export function encodingsOf(value: string): Encoded[] {
  const found = forms(value).flatMap((form) => [...texts(form), ...alignments('base64', Buffer.from(form))]);
  return distinct(found);
}

/** Letter case outside of ASCII and Unicode normalisation change octets; base64 shows case. */
function forms(value: string): string[] {
  const normalised = [value, value.normalize('NFC'), value.normalize('NFD')];
  return [...new Set(normalised.flatMap((form) => [form, form.toLowerCase(), form.toUpperCase()]))];
}

function texts(form: string): Encoded[] {
  const utf8 = Buffer.from(form);
  const utf16 = Buffer.from(form, 'utf16le');
  const [whole, special] = [() => true, (octet: number) => !/[A-Za-z0-9]/.test(String.fromCharCode(octet))];
  const each = (write: (hex: string) => string, which: (octet: number) => boolean) =>
    Array.from(utf8, (octet) => (which(octet) ? write(hex(octet, 2)) : String.fromCharCode(octet))).join('');
  const points = (write: (point: number) => string, which: (point: number) => boolean) =>
    Array.from(form, (one) => (which(one.codePointAt(0) ?? 0) ? write(one.codePointAt(0) ?? 0) : one)).join('');
  const units = (which: (unit: number) => boolean) =>
    Array.from({ length: form.length }, (_, index) => form.charCodeAt(index))
      .map((unit) => (which(unit) ? `\\u${hex(unit, 4)}` : String.fromCharCode(unit)))
      .join('');
  const json = JSON.stringify(form).slice(1, -1);
  const text = (variant: string, written: string): Encoded => ({
    variant,
    octets: Buffer.from(written),
    anyCase: true,
  });
  return [
    text('raw', form),
    // Where a character has no Latin-1 octet this is another text, and never found.
    { variant: 'latin1', octets: Buffer.from(form, 'latin1'), anyCase: true },
    { variant: 'utf-16le', octets: utf16, anyCase: true },
    { variant: 'utf-16be', octets: Buffer.from(utf16).swap16(), anyCase: true },
    // RFC 2045 §6.7; RFC 2047 §4.2 writes a space as `_`. Upper and lower digits alike.
    text(
      'quoted-printable',
      each(
        (digits) => `=${digits}`,
        (octet) => octet === 0x3d || octet > 0x7e || octet < 0x20,
      ),
    ),
    text(
      'quoted-printable (all special)',
      each((digits) => `=${digits}`, special),
    ),
    text(
      'quoted-printable (every octet)',
      each((digits) => `=${digits}`, whole),
    ),
    text(
      'q-encoded word',
      each((digits) => (digits === '20' ? '_' : `=${digits}`), special),
    ),
    text(
      'q-encoded word',
      each(
        (digits) => (digits === '20' ? '_' : `=${digits}`),
        (o) => o > 0x7e || o === 0x20,
      ),
    ),
    text('percent-encoded', encodeURIComponent(form.toWellFormed())),
    text('percent-encoded', encodeURI(form.toWellFormed())),
    text('form-encoded', new URLSearchParams([['', form]]).toString().slice(1)),
    text(
      'percent-encoded (all special)',
      each((digits) => `%${digits}`, special),
    ),
    text(
      'percent-encoded (every octet)',
      each((digits) => `%${digits}`, whole),
    ),
    text(
      'hex',
      each((digits) => digits, whole),
    ),
    text('hex, spaced', each((digits) => ` ${digits}`, whole).slice(1)),
    text('hex, colons', each((digits) => `:${digits}`, whole).slice(1)),
    text(
      '\\x escapes',
      each((digits) => `\\x${digits}`, whole),
    ),
    text('json', json),
    text('json in json', JSON.stringify(json).slice(1, -1)),
    text(
      'json (\\u where not ASCII)',
      units((unit) => unit > 0x7e),
    ),
    text(
      'json (\\u where special)',
      units((unit) => special(unit & 0xff) || unit > 0x7e),
    ),
    text('json (\\u everywhere)', units(whole)),
    text(
      'html',
      points(
        (point) => NAMED_ENTITIES[String.fromCodePoint(point)] ?? '',
        (p) => p < 64 && String.fromCodePoint(p) in NAMED_ENTITIES,
      ),
    ),
    text(
      'html (decimal where special)',
      points(
        (point) => `&#${point};`,
        (p) => special(p & 0xff) || p > 0x7e,
      ),
    ),
    text(
      'html (decimal)',
      points((point) => `&#${point};`, whole),
    ),
    text(
      'html (hex where special)',
      points(
        (point) => `&#x${point.toString(16)};`,
        (p) => special(p & 0xff) || p > 0x7e,
      ),
    ),
    text(
      'html (hex)',
      points((point) => `&#x${point.toString(16)};`, whole),
    ),
  ];
}

/**
 * Base64 of octets that stand anywhere in a larger text: at each of the three alignments the characters that depend on
 * nothing else.
 */
export function alignments(name: string, octets: Buffer): Encoded[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), octets]).toString('base64');
    const certain = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + octets.length) * 8) / 6));
    const url = certain.replaceAll('+', '-').replaceAll('/', '_');
    return [
      { variant: name, octets: Buffer.from(certain), anyCase: false },
      { variant: `${name}url`, octets: Buffer.from(url), anyCase: false },
    ];
  });
}

export function distinct(encoded: readonly Encoded[]): Encoded[] {
  const seen = new Map<string, Encoded>();
  for (const one of encoded) {
    const key = `${one.anyCase} ${(one.anyCase ? lower(one.octets) : one.octets).toString('latin1')}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const lower = (octets: Buffer): Buffer => Buffer.from(octets.map((one) => (one >= 65 && one <= 90 ? one + 32 : one)));
