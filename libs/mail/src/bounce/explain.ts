import { isPassing } from './classify.ts';
import { findProse, findReported, findStated, type Found } from './evidence.ts';
import { isAutoReply, isFromMailSystem, isReceipt, isReport, isUnsubscribe } from './reading/kinds.ts';
import { readNotification } from './reading/notification.ts';
import { programsOf } from './reading/programs.ts';
import { MAX_MESSAGE, readMessage, type Readable, type ReadablePart } from './reading/readable.ts';
import { statusFields, type StatusFields } from './reading/status-fields.ts';
import { readTranscript } from './reading/transcript.ts';
import { REASONS, type BounceReason } from './reasons.ts';

/** What a report says of one recipient. */
export interface ExplainedBounce {
  /** As the report names it; '' if it does not. Personal. */
  recipient: string;
  /** RFC 3463; absent where the report has none. */
  enhancedCode?: string;
  /** RFC 5321 4.2. */
  replyCode?: number;
  reason: BounceReason;
  /** Nobody should write there again. */
  hard: boolean;
}

const MAX_MESSAGES = 100;

/**
 * Explains a bounce, in the order of its recipients: a delivery status notification (RFC 3464), a report in prose, a
 * complaint (RFC 5965), an automatic reply (RFC 3834), a notification of Amazon SES, or an mbox of them. Empty if it is none
 * of these. Reads at most the first `MAX_MESSAGE` octets.
 */
export function explainBounce(raw: Buffer): ExplainedBounce[] {
  const text = raw
    .toString('latin1', 0, MAX_MESSAGE)
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replaceAll('\0', ' ')
    .replace(/^[ \t\r\n]{1,1000}/, '');
  // Not every "From " at the beginning of a line is an mbox's (RFC 4155): that one has an address and a date behind it.
  const messages = text.split(
    /\r\n(?=From \S{1,320} {1,4}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} )/,
    MAX_MESSAGES,
  );
  const explained = messages.map((message) => explainMessage(readMessage(message)));
  const clear = explained.filter((one) => one.some(({ reason }) => reason !== 'unclear' && reason !== 'unsaid'));
  return (clear.length > 0 ? clear : explained).flat();
}

function explainMessage(message: Readable): ExplainedBounce[] {
  const own = ownParts(message);
  const complaints = readComplaint(message, own);
  if (complaints.length > 0) return complaints;
  const notified = own.flatMap((part) => readNotification(part.text));
  if (notified.length > 0) return notified.map((one) => answer(findReported(one)));
  const fields = fieldsOf(message, own);
  const transcript = readTranscript(textOf(message, own, fields));
  const report = { message, transcript, programs: programsOf(message, transcript.text) };
  if (fields.length > 0) return findStated(report, fields).map(answer);
  if (isUnsubscribe(message)) return [{ recipient: '', reason: 'unsubscribe', hard: false }];
  if (isAutoReply(message, transcript)) return [{ recipient: '', reason: 'auto-reply', hard: false }];
  if (!isReport(message) || isReceipt(message, transcript)) return [];
  const found = findProse(report).map(answer);
  const isEmpty = found.every((one) => one.reason === 'unclear' || one.reason === 'unsaid');
  if (!isEmpty) return found;
  if (/multipart\/report/i.test(message.field('content-type'))) {
    return found.some((one) => one.recipient !== '') ? found : [{ recipient: '', reason: 'unsaid', hard: false }];
  }
  const isKnown = isFromMailSystem(message) || report.programs.length > 0;
  return isKnown || found.some((one) => one.enhancedCode ?? one.replyCode) ? found : [];
}

const isStatus = ({ type }: ReadablePart) => /^message\/[\w-]{0,20}delivery-status$/.test(type);

/** The report's own parts; those of the report that it attaches, where it says nothing itself. */
function ownParts({ parts }: Readable): ReadablePart[] {
  const own = parts.filter(({ attachedIn }) => attachedIn === 0);
  const attached = parts.filter(({ attachedIn }) => attachedIn === 1);
  const isForwarded = attached.some(isStatus) && !own.some((part) => isStatus(part) || part.text.includes('@'));
  return isForwarded ? attached : own;
}

/** What a report says in prose. */
function textOf(message: Readable, own: ReadablePart[], fields: StatusFields[]): string {
  const textsOf = (type: string) => own.filter((part) => part.type === type).map((part) => part.text);
  const plain = textsOf('text/plain');
  if (plain.length > 0) return plain.join('\r\n');
  // A page made for people explains what the fields say, and much besides.
  if (fields.length > 0 && fields.every(({ diagnostic }) => diagnostic !== '')) return '';
  const pages = textsOf('text/html');
  // Where a report's structure is broken, all of it is one text.
  return pages.length > 0 ? pages.join('\r\n') : message.whole;
}

/** RFC 5965: one report is about one message, which may have had several recipients. */
function readComplaint(message: Readable, own: ReadablePart[]): ExplainedBounce[] {
  const report = own.find((part) => part.type === 'message/feedback-report');
  const isReported = /feedback-report/i.test(message.field('content-type'));
  const text = report?.text ?? (isReported ? message.whole : '');
  if (!isReported && !/^feedback-type\s{0,4}:/im.test(text) && !isOtherComplaint(message)) return [];
  const fields = text.matchAll(/^(?:original-rcpt-to|removal-recipient)\s{0,4}:([^\r\n]{1,400})/gim);
  const named = [...fields].map((one) => one[1]?.trim() ?? '');
  const recipients = named.length > 0 ? [...new Set(named)].slice(0, MAX_MESSAGES) : [''];
  return recipients.map((recipient) => ({ recipient, reason: 'complaint', hard: false }));
}

/** Hotmail's and Amazon's older form, which only returns the message; Apple's way to ask for the end of a list. */
function isOtherComplaint(message: Readable): boolean {
  if (message.field('x-apple-unsubscribe').trim() === 'true') return true;
  if (!/^complaint about message from /i.test(message.field('subject'))) return false;
  return /staff@hotmail\.com|complaints@email-abuse\.amazonses\.com/i.test(message.field('from'));
}

function fieldsOf(message: Readable, own: ReadablePart[]): StatusFields[] {
  const reports = own.filter(isStatus);
  for (const texts of [reports.map((part) => part.text), own.map((part) => part.text), [message.whole]]) {
    const found = statusFields(texts.join('\r\n\r\n'));
    const named = found.filter(({ recipient }) => recipient.includes('@'));
    // Some repeat the same fields in another part.
    if (named.length > 0) return named.filter((one, at) => one.recipient !== named[at - 1]?.recipient);
    if (found.length > 0) return found;
  }
  return [];
}

function answer({ recipient, reason, status, replyCode, isTemporary }: Found): ExplainedBounce {
  // A report comes when the sending system has given up, so that an unknown user is as final after 450 as after 550. Only
  // a domain that takes no mail *now* may take it later.
  const passing =
    reason === 'takes-no-mail' && (isPassing({ status, replyCode }) || (status === undefined && isTemporary));
  return {
    recipient: recipient.replace(/^<|>$/g, '').trim().toLowerCase(),
    ...(status === undefined || status === '' ? {} : { enhancedCode: status }),
    ...(replyCode === undefined ? {} : { replyCode }),
    reason,
    hard: REASONS[reason].hard && !passing,
  };
}
