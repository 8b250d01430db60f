import { normalise, phrase, says } from '../words.ts';
import type { Readable } from './readable.ts';
import type { Transcript } from './transcript.ts';

const REPORT_SUBJECTS = [
  'undeliverable',
  'undelivered',
  'undeliver',
  'returned mail',
  'returned message',
  'delivery',
  'failure',
  'failed',
  'error',
  'could not send',
  'could not be',
  'not delivered',
  'non remis',
  'non recapitabile',
  'olevererbart',
  'unzustellbar',
  'mail system',
  'bounce',
  'warning',
  'rejected',
  'blocked',
  'nondeliverable',
  'non deliverable',
  'error sending',
  'エラー',
  '配信',
  'mail status',
  'loop alert',
].map(phrase);

/** RFC 3464 2 and RFC 5321 4.5.5 ask for a null return path; what real systems share is who they say they are. */
export function isFromMailSystem(message: Readable): boolean {
  if (message.field('return-path') === '<>') return true;
  const from = normalise(message.field('from'));
  return / (mailer daemon|postmaster|post master|mail delivery|mail deliver|mail administrator) /.test(from);
}

export function isReport(message: Readable): boolean {
  if (/multipart\/report/i.test(message.field('content-type')) || isFromMailSystem(message)) return true;
  if (message.field('x-failed-recipients') !== '' || message.field('x-mlserver') !== '') return true;
  return isFailureSubject(normalise(message.field('subject')));
}

/** A receipt (RFC 8098) is a report of something else, unless a filter of the recipient's has refused the message by it. */
export function isReceipt(message: Readable, transcript: Transcript): boolean {
  if (!/disposition-notification/i.test(message.field('content-type'))) return false;
  return !/automatically rejected/i.test(transcript.text.slice(0, 2048));
}

/** What List-Unsubscribe's mailto makes a mail program send (RFC 2369 3.2). */
export const isUnsubscribe = (message: Readable): boolean => normalise(message.field('subject')) === ' unsubscribe ';

/** RFC 3834 5; most systems also say it in the subject. */
export function isAutoReply(message: Readable, transcript: Transcript): boolean {
  const type = message.field('content-type');
  if (/multipart\/report/i.test(type) || transcript.replies.length > 0) return false;
  const submitted = message.field('auto-submitted').toLowerCase();
  const subject = normalise(message.field('subject'));
  const away =
    / (automatic reply|auto reply|autoreply|auto response|autoresponse|out of office|out of the office|vacation|away from|on holiday|abwesenheit|automatische antwort|reponse automatique|respuesta automatica|risposta automatica|absence) /;
  if (away.test(subject) || subject.startsWith(' auto ')) return true;
  if (isFromMailSystem(message) && message.field('return-path') !== '<>') return false;
  const suppressed = / (oof|autoreply) /.test(normalise(message.field('x-auto-response-suppress')));
  const marked =
    /^auto-(?:replied|notified|generated)/.test(submitted) ||
    normalise(message.field('x-apple-action')) === ' vacation ' ||
    message.field('precedence').toLowerCase() === 'auto_reply' ||
    suppressed;
  return marked && !isFailureSubject(subject);
}

const isFailureSubject = (subject: string) => REPORT_SUBJECTS.some((one) => says(subject, one));
