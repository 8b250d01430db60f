import { createHash, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { headerFields, type HeaderField } from '../message/header.ts';
import { relaxedField } from './canonical.ts';

const signOffThread = promisify(sign);

export interface DkimSignInput {
  /** The header block to be sent, without the signature (`splitMessage(raw).header`). */
  header: Buffer;
  /** From `dkimBodyHash`. */
  bodyHash: string;
  /** A-label form. */
  domain: string;
  selector: string;
  /** RSA (2048 bits or more, RFC 8301) or Ed25519 (RFC 8463). */
  privateKey: KeyObject;
  /** Time of signing in seconds since 1970. */
  time: number;
}

/**
 * Fields a reader or a filter acts upon (RFC 6376 5.4.1). Each is named once more than it occurs ("oversigned", 8.15), so
 * that another one cannot be added; those that lists and forwarders add for good reasons are signed only where they are.
 */
const OVERSIGNED = ['from', 'to', 'cc', 'subject', 'date', 'message-id', 'reply-to', 'sender'];
const MIME_FIELDS = ['mime-version', 'content-type', 'content-transfer-encoding', 'content-disposition', 'content-id'];
const SIGNED_IF_PRESENT = [
  'in-reply-to',
  'references',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'feedback-id',
  'auto-submitted',
];

/** A signature covers at most this many fields of one name; more are no mail but an attack on whoever verifies. */
const MAX_OCCURRENCES = 50;

/**
 * Signs a header and a body hash: `DKIM-Signature: …\r\n`, relaxed/relaxed, to be put before the message. The private-key
 * operation runs on the thread pool, as an RSA signature takes the event loop longer than everything else a message needs.
 */
export async function dkimSign(input: DkimSignInput): Promise<string> {
  const ed25519 = input.privateKey.asymmetricKeyType === 'ed25519';
  const { names, lines } = selectFields(input.header);
  const tags = [
    'v=1',
    `a=${ed25519 ? 'ed25519' : 'rsa'}-sha256`,
    'c=relaxed/relaxed',
    `d=${input.domain}`,
    `s=${input.selector}`,
    `t=${Math.floor(input.time)}`,
    `h=${foldNames(names)}`,
    `bh=${input.bodyHash}`,
    'b=',
  ];
  const value = ` ${tags.join(';\r\n\t')}`;
  const signed = Buffer.from([...lines, relaxedField('dkim-signature', value)].join('\r\n'), 'latin1');
  // RFC 8463 3: Ed25519 signs the SHA-256 of the data, not the data.
  const signature = ed25519
    ? await signOffThread(null, createHash('sha256').update(signed).digest(), input.privateKey)
    : await signOffThread('sha256', signed, input.privateKey);
  return `DKIM-Signature:${value}${foldBase64(signature.toString('base64'))}\r\n`;
}

/** The names for `h=` and the canonical lines they stand for: of a repeated field the last comes first (RFC 6376 5.4.2). */
function selectFields(header: Buffer): { names: string[]; lines: string[] } {
  const byName = new Map<string, HeaderField[]>();
  const unclear = new Set<string>();
  const fields = headerFields(header);
  fields.forEach((field, index) => {
    if (field.name === '') return;
    // After a line that is no field, verifiers disagree on where the field before it ends: its name is left out.
    if (fields[index + 1]?.name === '' && field.name !== 'from') unclear.add(field.name);
    byName.set(field.name, [...(byName.get(field.name) ?? []), field].slice(-MAX_OCCURRENCES));
  });
  const names: string[] = [];
  const lines: string[] = [];
  const choose = (name: string, extra: number) => {
    if (unclear.has(name)) return;
    const found = byName.get(name) ?? [];
    for (const field of found.toReversed()) {
      names.push(name);
      lines.push(relaxedField(name, header.toString('latin1', field.value, field.end)));
    }
    for (let more = 0; more < extra; more++) names.push(name);
  };
  for (const name of OVERSIGNED) choose(name, 1);
  for (const name of MIME_FIELDS) choose(name, byName.has(name) ? 1 : 0);
  for (const name of SIGNED_IF_PRESENT) choose(name, 0);
  return { names, lines };
}

function foldNames(names: string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length > 68) lines.push(name);
    else lines[lines.length - 1] = `${last}:${name}`;
  }
  return lines.join(':\r\n\t ');
}

function foldBase64(text: string): string {
  return (text.match(/.{1,72}/g) ?? []).join('\r\n\t ');
}
