import { headerFields, rawValue, splitMessage } from '../../message/header.ts';
import { decodeCharset, decodeOctets } from '../../mime/decode.ts';
import { scanParts, type Leaf } from '../../mime/parts.ts';
import { DEFAULT_SCAN_LIMITS } from '../../mime/scan.ts';
import { decodeText } from '../../mime/text.ts';

/** A bounce says what it has to say in front; what comes after this many octets is the message that it returns. */
export const MAX_MESSAGE = 2 * 1024 * 1024;
const MAX_PART = 512 * 1024;
const MAX_FIELD = 1024;
const MAX_FIELDS = 50;

export interface Readable {
  /** The first field of that name (lower case), decoded; '' if there is none. */
  field(name: string): string;
  /** All fields of that name, decoded. */
  fields(name: string): string[];
  parts: ReadablePart[];
  /** All of it as it stands, for reports whose structure is broken. */
  whole: string;
}

export interface ReadablePart {
  type: string;
  text: string;
  /** In how many attached messages it lies; 0 is the report itself. */
  attachedIn: number;
}

/** Reads what a person could read of a message; structure, charsets and encodings may be broken, and are bounded. */
export function readMessage(latin1: string): Readable {
  const raw = Buffer.from(latin1, 'latin1');
  const { header, body } = splitMessage(raw);
  const fields = headerFields(header);
  const parts: ReadablePart[] = [];
  const leaf = ({ content, body: octets, attachedIn }: Leaf) => {
    if (!/^(text|message)\//.test(content.type)) return;
    // A parameter that is not set apart is still none of the type.
    const [type = ''] = content.type.split(/[\s;]/, 1);
    parts.push({ type, attachedIn, text: decodeBody(octets.subarray(0, MAX_PART), content) });
  };
  // Whatever is over a limit: the parts before it have been seen.
  scanParts(raw, { header, fields, bodyStart: raw.length - body.length }, DEFAULT_SCAN_LIMITS, { leaf });
  const value = (field: (typeof fields)[number]) => decodeText(rawValue(header, field).slice(0, MAX_FIELD));
  return {
    field(name) {
      const found = fields.find((one) => one.name === name);
      return found ? value(found) : '';
    },
    fields: (name) =>
      fields
        .filter((one) => one.name === name)
        .slice(0, MAX_FIELDS)
        .map(value),
    parts,
    whole: body.toString('latin1', 0, MAX_PART),
  };
}

function decodeBody(octets: Buffer, { encoding, charset, type }: Leaf['content']): string {
  const text = decodeCharset(decodeOctets(octets, encoding), charset);
  return type === 'text/html' ? fromHtml(text) : text;
}

/** Only good enough to find sentences: tags become line ends where they end a block, else nothing. */
function fromHtml(html: string): string {
  const lower = html.toLowerCase();
  let out = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) return out + entities(html.slice(at));
    out += entities(html.slice(at, open));
    const name = /^<\/?([a-z0-9]{1,10})/i.exec(html.slice(open, open + 16))?.[1]?.toLowerCase() ?? '';
    if (/^(p|br|div|tr|td|li|h\d|table|pre|blockquote)$/.test(name)) out += '\n';
    const hidden = name === 'style' || name === 'script' ? lower.indexOf(`</${name}`, open + 1) : open;
    const close = html.indexOf('>', hidden < 0 ? html.length : hidden);
    at = close < 0 ? html.length : close + 1;
  }
  return out;
}

function entities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
