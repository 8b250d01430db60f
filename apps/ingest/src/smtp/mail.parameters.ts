import type { SMTPServerAddress, SMTPServerSession } from 'smtp-server';
import { refuse } from './smtp.reply.ts';

/** RFC 1870, RFC 6152, RFC 6531; AUTH= of RFC 4954 §5 is known to everybody who offers AUTH, and may be ignored; RFC 3461. */
const OF_MAIL = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'AUTH', 'RET', 'ENVID']);
const OF_RCPT = new Set(['NOTIFY', 'ORCPT']);
/** RFC 3461 §4.4 and §4.2: in characters of what the client meant, after its xtext. */
const MAX_ENVID = 100;
const MAX_ORCPT = 500;

/**
 * What RFC 3461 lets a client ask for is read and checked, so that senders that always ask are served, and has no effect: what
 * became of a message is said by its events, and no notification is ever mailed.
 * @throws SmtpRefusal for what is not known, or not well-formed. The values of RET and NOTIFY the library has checked.
 */
export function checkMailParameters({ args }: SMTPServerAddress): void {
  assertKnown(args, OF_MAIL);
  const envid = text(args, 'ENVID');
  if (envid !== undefined && (envid.length > MAX_ENVID || !isPrintable(envid))) {
    throw refuse(501, `5.5.4 ENVID must be up to ${MAX_ENVID} printable ASCII characters in xtext`);
  }
}

/** The same, of RCPT TO. */
export function checkRcptParameters(
  { args }: SMTPServerAddress,
  { envelope }: Pick<SMTPServerSession, 'envelope'>,
): void {
  assertKnown(args, OF_RCPT);
  const orcpt = text(args, 'ORCPT');
  if (orcpt === undefined) return;
  // RFC 6533 §3: addresses of SMTPUTF8 have a type of their own.
  const isUtf8 = /^utf-8;/i.test(orcpt) && envelope.smtpUtf8;
  if (orcpt.length > MAX_ORCPT || !(isUtf8 || isPrintable(orcpt))) {
    throw refuse(501, `5.5.4 ORCPT must be a type and an address in xtext, up to ${MAX_ORCPT} characters`);
  }
}

/** What SIZE says, in octets (RFC 1870). */
export function sizeOf(args: SMTPServerAddress['args']): number | undefined {
  const size = text(args, 'SIZE');
  return size === undefined ? undefined : Number(size);
}

/** RFC 5321 §4.1.1.11: what is not understood is not ignored. */
function assertKnown(args: SMTPServerAddress['args'], known: ReadonlySet<string>): void {
  if (Object.keys(args || {}).every((name) => known.has(name))) return;
  throw refuse(555, '5.5.4 a parameter of MAIL FROM or RCPT TO is not known');
}

function text(args: SMTPServerAddress['args'], name: string): string | undefined {
  const value: unknown = args ? args[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const isPrintable = (value: string): boolean => /^[ -~]*$/.test(value);
