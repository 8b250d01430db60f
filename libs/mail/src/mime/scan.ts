import { readHeaderAddresses } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import { headerFields, rawValue, splitMessage, type HeaderField } from '../message/header.ts';
import { accept, refuse, type Result } from '../refusal.ts';
import { parseMailboxes } from './mailboxes.ts';
import { bytesToText, decodeText } from './text.ts';
import { scanParts, type Attachment, type ScanLimits } from './parts.ts';

export const DEFAULT_SCAN_LIMITS: ScanLimits = { maxDepth: 100, maxParts: 1000, maxHeaderBytes: 256 * 1024 };

/** What is known of a message without keeping it. Texts are decoded (RFC 2047), unfolded and bounded. */
export interface MessageScan {
  from: Mailbox[];
  to: Mailbox[];
  cc: Mailbox[];
  replyTo: Mailbox[];
  /** Everybody From and Sender name. Undefined unless there is one From at most and one Sender, and nothing in them is unreadable. */
  authors: Mailbox[] | undefined;
  subject: string;
  /** As written, with its angle brackets; '' if there is none. */
  messageId: string;
  date: string;
  attachments: Attachment[];
  headerBytes: number;
  parts: number;
  /** Deepest nesting, 0 for a message of one part. */
  depth: number;
}

const MAX_TEXT_BYTES = 4096;
const MAX_ADDRESS_FIELD_BYTES = 128 * 1024;
const MAX_ADDRESSES = 1000;
const MAX_SAME_FIELDS = 50;

/**
 * Reads a message (CRLF, see `normaliseMessage`) once from front to back: its own header fields, and the names, types and
 * sizes of its attachments. Only what cannot be handled within `limits` is refused; odd structure is read as far as it goes.
 */
export function scanMime(
  raw: Buffer,
  limits: ScanLimits = DEFAULT_SCAN_LIMITS,
  field = 'message',
): Result<MessageScan> {
  const { header, body } = splitMessage(raw);
  if (header.length > limits.maxHeaderBytes) {
    return refuse(field, 'header-too-large', `the header of the message is over ${limits.maxHeaderBytes} bytes`);
  }
  const fields = headerFields(header);
  const scanned = scanParts(raw, { header, fields, bodyStart: raw.length - body.length }, limits);
  if (scanned === 'too-deep') {
    return refuse(field, 'too-deep', `the parts of the message nest deeper than ${limits.maxDepth} levels`);
  }
  if (scanned === 'too-many-parts') {
    return refuse(field, 'too-many-parts', `the message has more than ${limits.maxParts} parts`);
  }
  return accept({ ...scanned, ...topLevel(header, fields), headerBytes: header.length });
}

function topLevel(header: Buffer, fields: HeaderField[]) {
  const first = (name: string) => {
    const found = fields.find((field) => field.name === name);
    return found ? rawValue(header, found).slice(0, MAX_TEXT_BYTES) : '';
  };
  // A message may repeat a field it should not; whoever is named in any of them counts.
  const mailboxes = (name: string) =>
    fields
      .filter((field) => field.name === name)
      .slice(0, MAX_SAME_FIELDS)
      .flatMap((field) => readHeaderAddresses(bytesToText(rawValue(header, field).slice(0, MAX_ADDRESS_FIELD_BYTES))))
      .slice(0, MAX_ADDRESSES);
  return {
    from: mailboxes('from'),
    to: mailboxes('to'),
    cc: mailboxes('cc'),
    replyTo: mailboxes('reply-to'),
    authors: authorsOf(header, fields),
    subject: decodeText(first('subject')),
    messageId: bytesToText(first('message-id')),
    date: bytesToText(first('date')),
  };
}

/** What one reader skips, another shows: only where all can be read, it is known who is named. */
function authorsOf(header: Buffer, fields: readonly HeaderField[]): Mailbox[] | undefined {
  const authors: Mailbox[] = [];
  for (const name of ['from', 'sender']) {
    const [field, ...more] = fields.filter((candidate) => candidate.name === name);
    if (field === undefined) continue;
    const value = rawValue(header, field);
    if (more.length > 0 || value.length > MAX_ADDRESS_FIELD_BYTES) return undefined;
    const read = parseMailboxes(value, name);
    if (!read.ok) return undefined;
    authors.push(...read.value);
  }
  return authors;
}
