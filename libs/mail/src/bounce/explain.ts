import { classify, isPassing, type Evidence, type Finding } from './classify.ts';
import { readNotification } from './notification.ts';
import { MAX_MESSAGE, readMessage, type Readable, type ReadablePart } from './readable.ts';
import { REASONS, type BounceReason } from './reasons.ts';
import type { Command } from './rules/rule.ts';
import { statusFields, type StatusFields } from './status-fields.ts';
import { isSpecific } from './statuses.ts';
import { readTranscript, wordedCommand, type Transcript } from './transcript.ts';
import { codesIn, normalise, phrase, says } from './words.ts';

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

/** What PowerMTA, which has seen the whole session, has made of it (X-PowerMTA-BounceCategory). */
const POWERMTA: Partial<Record<string, BounceReason>> = {
  'bad-mailbox': 'unknown-user',
  'bad-domain': 'unknown-host',
  'inactive-mailbox': 'disabled',
  'quota-issues': 'mailbox-full',
  'spam-related': 'spam',
  'virus-related': 'virus',
  'policy-related': 'policy',
  'content-related': 'content',
  'relaying-issues': 'relaying-denied',
  'message-expired': 'expired',
  'protocol-errors': 'protocol',
  'bad-connection': 'network',
  'no-answer-from-host': 'network',
  'routing-errors': 'unknown-host',
  'bad-configuration': 'system',
};

/**
 * Explains a bounce, in the order of its recipients: a delivery status notification (RFC 3464), a report in prose, a
 * complaint (RFC 5965), an automatic reply (RFC 3834), a notification of Amazon SES, or an mbox of them. Empty if it is none
 * of these. Reads at most the first `MAX_MESSAGE` octets.
 */
export function explainBounce(raw: Buffer): ExplainedBounce[] {
  const text = raw
    .toString('latin1', 0, MAX_MESSAGE)
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replaceAll('\0', ' ');
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
  const own = message.parts.filter((part) => part.attachedIn === 0);
  const complaints = readComplaint(message, own);
  if (complaints.length > 0) return complaints;
  const notified = own.flatMap((part) => readNotification(part.text));
  if (notified.length > 0) return notified.map(explainNotified);
  const texts = own.filter((part) => part.type === 'text/plain').map((part) => part.text);
  if (texts.length === 0) texts.push(...own.filter((part) => part.type === 'text/html').map((part) => part.text));
  // Where a report's structure is broken, all of it is one text.
  const transcript = readTranscript(texts.length > 0 ? texts.join('\r\n') : message.whole);
  const fields = fieldsOf(message, own);
  const systems = [message.field('from'), message.field('message-id')].map(domainOf);
  if (fields.length > 0) return fields.map((one) => explainFields(one, transcript, systems, fields.length));
  // What List-Unsubscribe's mailto makes a mail program send (RFC 2369 3.2).
  if (normalise(message.field('subject')) === ' unsubscribe ')
    return [{ recipient: '', reason: 'unsubscribe', hard: false }];
  if (isAutoReply(message, transcript)) return [{ recipient: '', reason: 'auto-reply', hard: false }];
  // A receipt (RFC 8098) is a report too, of something else.
  if (!isReport(message) || /disposition-notification/i.test(message.field('content-type'))) return [];
  return explainTranscript(message, transcript, systems);
}

/** RFC 5965: one report is about one message, which may have had several recipients. */
function readComplaint(message: Readable, own: ReadablePart[]): ExplainedBounce[] {
  const report = own.find((part) => part.type === 'message/feedback-report');
  const text = report?.text ?? (/feedback-report/i.test(message.field('content-type')) ? message.whole : '');
  if (!/^feedback-type\s{0,4}:/im.test(text)) return [];
  const named = [...text.matchAll(/^original-rcpt-to\s{0,4}:([^\r\n]{1,400})/gim)].map((one) => one[1]?.trim() ?? '');
  const recipients = named.length > 0 ? [...new Set(named)].slice(0, MAX_MESSAGES) : [''];
  return recipients.map((recipient) => ({ recipient, reason: 'complaint', hard: false }));
}

function explainNotified(one: ReturnType<typeof readNotification>[number]): ExplainedBounce {
  if (one.kind === 'complaint') return { recipient: one.recipient, reason: 'complaint', hard: false };
  const codes = codesIn(one.diagnostic);
  const status = one.status || codes.statuses[0];
  if (one.kind === 'delivery') return answer(one.recipient, { reason: 'delivered' }, status, codes.replyCode);
  const evidence: Evidence = { text: one.diagnostic, status, replyCode: codes.replyCode, quoted: true };
  return answer(one.recipient, classify(evidence), status, codes.replyCode);
}

function fieldsOf(message: Readable, own: ReadablePart[]): StatusFields[] {
  const reports = own.filter((part) => /^message\/(?:global-)?delivery-status$/.test(part.type));
  for (const texts of [reports.map((part) => part.text), own.map((part) => part.text), [message.whole]]) {
    const found = statusFields(texts.join('\r\n\r\n'));
    if (found.length > 0) return found;
  }
  return [];
}

function explainFields(fields: StatusFields, transcript: Transcript, systems: string[], of: number): ExplainedBounce {
  const { diagnostic, diagnosticType, action } = fields;
  const told = transcript.recipients.find((one) => one.recipient === bare(fields.recipient));
  const about = of === 1 ? transcript.text : (told?.text ?? '');
  const codes = codesIn(diagnostic);
  const more = codesIn(about);
  // The server's own code before the reporter's: some reporters say 5.1.1 whatever RCPT was refused for.
  const status = chooseStatus([...codes.statuses, fields.status, ...(diagnostic === '' ? more.statuses : [])]);
  const replyCode = codes.replyCode ?? (of === 1 || told ? more.replyCode : undefined);
  const shared = {
    status,
    replyCode,
    systems: [...systems, ...fields.systems.map(hostOf), domainOf(fields.recipient)],
  };
  const reported = status?.startsWith('2.') || /^(delivered|deliverable|relayed|expanded)$/.test(action);
  if (reported) return answer(fields.recipient, { reason: 'delivered' }, status, replyCode);
  const command =
    wordedCommand(diagnostic) ?? answeredCommand(diagnostic, transcript) ?? wordedCommand(about) ?? told?.command;
  const isReply = diagnosticType === '' || diagnosticType === 'smtp' || diagnosticType === 'lmtp';
  const text = isReply ? diagnostic : `${diagnosticType} ${diagnostic}`;
  const first = classify({ ...shared, text, command, quoted: isReply && diagnostic !== '' });
  const found = better(first, () => classify({ ...shared, text: `${text}\n${about}`, command, quoted: true }));
  const category = POWERMTA[fields.category];
  const finding =
    category && (found.by === 'left' || found.reason === 'filtered') ? { ...found, reason: category } : found;
  const isLate = action === 'delayed' || isDelay(about);
  return answer(fields.recipient, isLate ? late(finding) : finding, status, replyCode);
}

/**
 * The words around a diagnostic are asked when it says little itself, and heard when they say more. Where they say that the
 * mailbox is full and it says that there is none, the one that does less harm is believed.
 */
function better(first: Finding, ask: () => Finding): Finding {
  const isHard = first.reason === 'unknown-user';
  if (first.by !== 'left' && !isHard) return first;
  const second = ask();
  if (isHard) return second.reason === 'mailbox-full' ? second : first;
  return second.by === 'words' ? second : first;
}

/** A delay of which no more is known than that the server was not reached. */
function late(finding: Finding): Finding {
  return finding.by === 'left' || finding.reason === 'network' ? { ...finding, reason: 'expired' } : finding;
}

const DELAYED = `warning message only | will be retried | will keep trying | still undelivered | will continue to try
  | do not need to resend`
  .split('|')
  .map(phrase);

function isDelay(text: string): boolean {
  const words = normalise(text);
  return DELAYED.some((one) => says(words, one));
}

function explainTranscript(message: Readable, transcript: Transcript, systems: string[]): ExplainedBounce[] {
  const { text } = transcript;
  const sender = /[^\s<>"]{1,128}@[^\s<>",]{1,255}/.exec(message.field('to'))?.[0].toLowerCase();
  // Whoever gets the report has written the message, and is named in many reports too.
  const others = transcript.recipients.filter((one) => one.recipient !== sender);
  const recipients = others.length > 0 ? others : transcript.recipients;
  const [mentioned = ''] = transcript.mentioned.filter((one) => one !== sender);
  const about = recipients.length > 0 ? recipients : [{ recipient: mentioned, text, command: undefined }];
  const found = about.map((told) => {
    const [near, all] = [codesIn(told.text), codesIn(text)];
    const codes = near.statuses.length > 0 || near.replyCode !== undefined ? near : all;
    const status = chooseStatus(codes.statuses);
    const command = told.command ?? (recipients.length < 2 ? wordedCommand(text) : undefined);
    const quoted = codes.replyCode !== undefined || /^\S+ \[/.test(told.text);
    const evidence = {
      status,
      replyCode: codes.replyCode,
      command,
      quoted,
      systems: [...systems, domainOf(told.recipient)],
    };
    const first = classify({ ...evidence, text: told.text });
    const finding = better(first, () => classify({ ...evidence, text }));
    const final = isDelay(text) ? late(finding) : finding;
    return answer(told.recipient, final, status, codes.replyCode);
  });
  const isEmpty = found.every((one) => one.reason === 'unclear' || one.reason === 'unsaid');
  if (!isEmpty) return found;
  if (/multipart\/report/i.test(message.field('content-type')))
    return [{ recipient: '', reason: 'unsaid', hard: false }];
  return found.some((one) => one.enhancedCode ?? one.replyCode) || isFromMailSystem(message) ? found : [];
}

function answer(
  recipient: string,
  { reason }: Pick<Finding, 'reason'>,
  status: string | undefined,
  replyCode: number | undefined,
): ExplainedBounce {
  // A report comes when the sending system has given up, so that an unknown user is as final after 450 as after 550. Only
  // a domain that takes no mail *now* may take it later.
  const passing = reason === 'takes-no-mail' && isPassing({ status, replyCode });
  return {
    recipient: bare(recipient),
    ...(status === undefined || status === '' ? {} : { enhancedCode: status }),
    ...(replyCode === undefined ? {} : { replyCode }),
    reason,
    hard: REASONS[reason].hard && !passing,
  };
}

/** The first that says more than that something failed. */
function chooseStatus(statuses: string[]): string | undefined {
  const all = statuses.filter((status) => status !== '');
  return all.find(isSpecific) ?? all[0];
}

/** The command whose answer in the transcript is what the diagnostic quotes. */
function answeredCommand(diagnostic: string, { replies }: Transcript): Command | undefined {
  const wanted = normalise(diagnostic).trim().slice(0, 80);
  if (wanted === '') return undefined;
  return replies.find(({ text }) => {
    const said = normalise(text).trim().slice(0, 80);
    return said !== '' && (said.startsWith(wanted) || wanted.startsWith(said));
  })?.command;
}

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
  'not delivered',
  'non remis',
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
].map(phrase);

/** RFC 3464 2 and RFC 5321 4.5.5 ask for a null return path; what real systems share is who they say they are. */
function isFromMailSystem(message: Readable): boolean {
  if (message.field('return-path') === '<>') return true;
  const from = normalise(message.field('from'));
  return / (mailer daemon|postmaster|post master|mail delivery|mail deliver|mail administrator) /.test(from);
}

function isReport(message: Readable): boolean {
  if (/multipart\/report/i.test(message.field('content-type')) || isFromMailSystem(message)) return true;
  return message.field('x-failed-recipients') !== '' || isFailureSubject(normalise(message.field('subject')));
}

/** RFC 3834 5; most systems also say it in the subject. */
function isAutoReply(message: Readable, transcript: Transcript): boolean {
  const type = message.field('content-type');
  if (/multipart\/report/i.test(type) || transcript.replies.length > 0) return false;
  const submitted = message.field('auto-submitted').toLowerCase();
  const subject = normalise(message.field('subject'));
  const away =
    / (automatic reply|auto reply|autoreply|auto response|autoresponse|out of office|out of the office|vacation|away from|on holiday|abwesenheit|automatische antwort|reponse automatique|respuesta automatica|risposta automatica|absence) /;
  if (away.test(subject) || subject.startsWith(' auto ')) return true;
  return submitted.startsWith('auto-replied') && !isFailureSubject(subject);
}

const isFailureSubject = (subject: string) => REPORT_SUBJECTS.some((one) => says(subject, one));

function bare(recipient: string): string {
  return recipient.replace(/^<|>$/g, '').trim().toLowerCase();
}

const domainOf = (field: string) => hostOf(field.slice(field.lastIndexOf('@') + 1));
const hostOf = (host: string) => /^[a-z0-9.-]{1,255}/i.exec(host.trim())?.[0].toLowerCase() ?? '';
