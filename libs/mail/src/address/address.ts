import { domainToASCII } from 'node:url';
import { accept, hasControlCharacter, refuse, type Result } from '../refusal.ts';

/** One mailbox: a display name, if any, and an address. */
export interface Mailbox {
  /** Decoded display name, '' if there is none. */
  name: string;
  /** `local@domain` as it goes into the envelope: the local part as written, the domain in A-labels, lower case. */
  address: string;
  local: string;
  domain: string;
}

/** RFC 5321 4.5.3.1.1: octets, so a UTF-8 local part (RFC 6531) counts its bytes. */
const MAX_LOCAL_OCTETS = 64;
/** RFC 5321 4.5.3.1.3 allows 256 for a path, which includes its angle brackets. */
const MAX_ADDRESS_OCTETS = 254;
/** RFC 1035 2.3.4, less the length octet and the root. */
const MAX_DOMAIN_OCTETS = 253;
/** Beyond this nothing can become a valid address, so that nothing expensive runs on it. */
const MAX_CHARACTERS = 1024;

const ATEXT = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads one addr-spec (RFC 5321 4.1.2, RFC 6531 for UTF-8, RFC 5890 for IDN) and gives its canonical wire form. A quoted
 * local part that needs no quotes loses them, as both name the same mailbox. Domains need a dot; address literals
 * (`[192.0.2.1]`) and source routes are not taken.
 */
export function parseAddress(text: string, field: string): Result<Mailbox> {
  if (text === '') return refuse(field, 'missing', 'an address is missing');
  if (hasControlCharacter(text) || !text.isWellFormed()) {
    return refuse(field, 'control-character', 'an address holds a control character');
  }
  if (text.length > MAX_CHARACTERS) return refuse(field, 'too-long', 'an address is too long');
  const at = text.lastIndexOf('@');
  if (at < 1) return refuse(field, 'malformed', 'an address needs the form local@domain');
  const local = canonicalLocal(text.slice(0, at));
  if (local === undefined) return refuse(field, 'malformed', 'the part of an address before the @ is not valid');
  const domain = canonicalDomain(text.slice(at + 1));
  if (domain === undefined) return refuse(field, 'malformed', 'the domain of an address is not valid');
  const octets = Buffer.byteLength(local);
  if (octets > MAX_LOCAL_OCTETS || octets + 1 + domain.length > MAX_ADDRESS_OCTETS) {
    return refuse(field, 'too-long', 'an address is too long (64 octets before the @, 254 in all)');
  }
  return accept({ name: '', address: `${local}@${domain}`, local, domain });
}

/**
 * The form in which two addresses are compared (design: pseudonyms): lower case, the domain in A-labels, nothing more.
 * Expects an address that `parseAddress` took.
 */
export function normalForm(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return `${address.slice(0, at).toLowerCase()}@${(domainToASCII(domain) || domain).toLowerCase()}`;
}

/** The A-label form of a host name that mail can be sent to, or undefined. */
export function canonicalDomain(text: string): string | undefined {
  // Checked before the IDNA mapping, which would read `%`, brackets and numbers as a URL's host does.
  if (text.length > MAX_CHARACTERS || !/^[A-Za-z0-9.\-\u0080-\u{10ffff}]+$/u.test(text)) return undefined;
  const domain = domainToASCII(text).toLowerCase();
  const labels = domain.split('.');
  const valid = domain.length <= MAX_DOMAIN_OCTETS && labels.length > 1 && labels.every((label) => LABEL.test(label));
  return valid && !/^\d+$/.test(labels.at(-1) ?? '') ? domain : undefined;
}

function canonicalLocal(text: string): string | undefined {
  if (isDotString(text)) return text;
  if (text.length < 2 || text.includes('\t') || !text.startsWith('"') || !text.endsWith('"')) return undefined;
  let content = '';
  for (let at = 1; at < text.length - 1; at++) {
    if (text[at] === '"') return undefined;
    if (text[at] === '\\' && ++at === text.length - 1) return undefined;
    content += text[at];
  }
  return isDotString(content) ? content : `"${content.replace(/["\\]/g, String.raw`\$&`)}"`;
}

function isDotString(text: string): boolean {
  return text.split('.').every((atom) => ATEXT.test(atom));
}
