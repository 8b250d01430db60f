import { isAscii } from 'node:buffer';
import libmime from 'libmime';
import { addressLine } from '../compose/compose.ts';
import { structured } from '../compose/part.ts';
import { headerLine } from '../message/edit.ts';
import { parseMailboxes } from '../mime/mailboxes.ts';
import { bytesToText } from '../mime/text.ts';

/** Fields of mailboxes (RFC 5322 §3.6.2, §3.6.3, §3.6.6): encoded words stand in names alone. */
const MAILBOXES = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)$/i;
const PARAMETERS = /^content-(?:type|disposition)$/i;
/** Machines read them: an encoded word is not what stands there. */
const NO_TEXT =
  /^(?:(?:resent-)?message-id|content-id|in-reply-to|references|return-path|list-(?:help|(?:un)?subscribe|post|owner|archive)|dkim-signature|arc-.*|authentication-results)$/i;

/**
 * A header field in ASCII, with its CRLF (RFC 2047, RFC 2231). `latin1`: its value, a character an octet. Undefined where its meaning would
 * change, as that of an address that is not ASCII.
 */
export function sevenBitField(name: string, latin1: string): string | undefined {
  const value = bytesToText(latin1).replaceAll('\t', ' ');
  if (NO_TEXT.test(name)) return undefined;
  if (PARAMETERS.test(name)) return structured(name, libmime.parseHeaderValue(value));
  if (!MAILBOXES.test(name)) return unlessRefused(() => headerLine(name, value));
  const read = parseMailboxes(latin1, name);
  if (!read.ok || !read.value.every(({ address }) => isAscii(Buffer.from(address)))) return undefined;
  return addressLine(name, read.value);
}

/** A control character stands in it: nothing more may be made of that. */
function unlessRefused(write: () => string): string | undefined {
  try {
    return write();
  } catch {
    return undefined;
  }
}
