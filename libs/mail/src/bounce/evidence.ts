import { classify, type Evidence, type Finding } from './classify.ts';
import type { Notified } from './reading/notification.ts';
import type { Readable } from './reading/readable.ts';
import type { StatusFields } from './reading/status-fields.ts';
import { namedCommand, wordedCommand, type Told, type Transcript } from './reading/transcript.ts';
import type { BounceReason } from './reasons.ts';
import type { Command } from './rules/rule.ts';
import { preferredStatus } from './statuses.ts';
import { codesIn, normalise, phrase, Reading, says, type Codes } from './words.ts';

/** A report, read. */
export interface Report {
  message: Readable;
  transcript: Transcript;
  /** Who may have written it. */
  programs: string[];
}

export interface Found {
  recipient: string;
  reason: BounceReason;
  status?: string | undefined;
  replyCode?: number | undefined;
  /** The report says in words that it may work later. */
  isTemporary: boolean;
}

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
  'routing-errors': 'system',
  'bad-configuration': 'system',
};

/** Programs whose reports say in the diagnostic all that is known; around it stands only politeness. */
const TERSE = new Set(['postfix', 'sendmail', 'exim', 'courier']);

/** One recipient of a notification of Amazon SES. */
export function findReported(one: Notified): Found {
  const base = { recipient: one.recipient, isTemporary: false };
  if (one.kind === 'complaint') return { ...base, reason: 'complaint' };
  const codes = codesIn(one.diagnostic);
  const status = preferredStatus(one.status, codes.statuses[0], codes.replyCode) || undefined;
  const found = { ...base, status, replyCode: codes.replyCode };
  if (one.kind === 'delivery') return { ...found, reason: 'delivered' };
  const text = new Reading(one.diagnostic);
  return { ...found, reason: classify({ text, status, replyCode: codes.replyCode, quoted: true }).reason };
}

/** Each recipient that has fields of its own (RFC 3464 2.3). */
export function findStated(report: Report, fields: StatusFields[]): Found[] {
  return fields.map((one) => {
    const told = report.transcript.recipients.find(({ recipient }) => recipient === bare(one.recipient));
    // The text around belongs to the only recipient there is, else what stands behind the recipient's name.
    const about = fields.length === 1 ? report.transcript.text : (told?.text ?? '');
    return stated(report, one, { told, about, isOnly: fields.length === 1 });
  });
}

/** What a report says of a recipient outside of the fields. */
interface Around {
  told: Told | undefined;
  about: string;
  isOnly: boolean;
}

function stated(report: Report, fields: StatusFields, around: Around): Found {
  const { diagnostic, diagnosticType, action } = fields;
  const [codes, more] = [codesIn(diagnostic), codesIn(around.about)];
  const inText = bestOf(codes.statuses.length > 0 ? codes.statuses : more.statuses);
  const said = codes.replyCode ?? more.replyCode;
  const status = preferredStatus(fields.status || bestOf(statusesIn(fields.comment)), inText, said) || undefined;
  const replyCode = fitting([...codes.replyCodes, ...more.replyCodes], status) ?? said;
  const isTemporary = /temporar|persistent/i.test(diagnostic);
  const found = { recipient: fields.recipient, status, replyCode, isTemporary };
  const isReached = status?.startsWith('2.') || /^(delivered|deliverable|relayed|expanded)$/.test(action);
  if (isReached) return { ...found, reason: 'delivered' };
  const isReply = /^(?:smtp|lmtp|x-postfix|x-exim|)$/.test(diagnosticType);
  const speaking = [...fields.systems.map(hostOf), ...hostsIn(diagnostic), ...systemsOf(report.message)];
  const finding = findAround(report, fields, around, {
    status,
    replyCode,
    command: commandFor(report, diagnostic, around),
    quoted: isReply && diagnostic !== '',
    programs: report.programs,
    systems: [domainOf(fields.recipient), ...speaking],
    otherType: isReply ? undefined : diagnosticType,
    told: POWERMTA[fields.category],
    delayed: action === 'delayed',
  });
  const isLate = action === 'delayed' || isDelay(around.about);
  return { ...found, reason: (isLate ? late(finding) : finding).reason };
}

/** As the diagnostic says, or the transcript that it quotes, or the text around. */
function commandFor(
  { programs, transcript }: Report,
  diagnostic: string,
  { told, about }: Around,
): Command | undefined {
  // Sendmail shows each command whose answer it shows; none is shown for who refuses in greeting.
  const isGreeting = programs.includes('sendmail') && transcript.replies.length > 0;
  return (
    wordedCommand(diagnostic) ??
    answeredCommand(diagnostic, transcript) ??
    wordedCommand(about) ??
    told?.command ??
    namedCommand(diagnostic) ??
    namedCommand(about) ??
    wordedCommand(transcript.text) ??
    namedCommand(transcript.text) ??
    (isGreeting ? 'EHLO' : undefined)
  );
}

/** As much of the text around as leaves room for the diagnostic. */
const MAX_AROUND = 6000;

function findAround(
  { programs, transcript }: Report,
  { diagnostic, comment }: StatusFields,
  { told, about, isOnly }: Around,
  evidence: Omit<Evidence, 'text'>,
): Finding {
  const find = (...texts: string[]) => classify({ ...evidence, text: new Reading(texts.join('\n')) });
  const shown = about.slice(0, MAX_AROUND);
  if (!programs.some((one) => TERSE.has(one))) {
    return isOnly ? find(shown, diagnostic, comment) : find(diagnostic, comment, shown);
  }
  const session = programs.includes('sendmail') && isOnly ? transcript.replies.map((one) => one.text).join(' ') : '';
  // Some give the exit code of a program, and say elsewhere what it wrote. Postfix says more where it names the command.
  const isCode = /^\s*\d{0,3}\s*$/.test(diagnostic);
  const named = told && programs.includes('postfix') ? told.text : '';
  const first = find(session, ...(isCode ? [answersIn(about)] : [diagnostic, named]), comment);
  if (first.by !== 'left') return first;
  // Single words around a diagnostic are no reason to doubt it.
  const second = find(shown, isOnly ? '' : diagnostic);
  return second.by !== 'left' || first.reason === 'unsaid' ? second : first;
}

/** The lines that answer with codes, if there are any; what else a program writes is its own. */
function answersIn(text: string): string {
  const answers = text.split('\n').filter((line) => /^[245]\d\d[ -][245]\.\d{1,3}\.\d{1,3} /.test(line));
  return answers.length > 0 ? answers.join('\n') : text;
}

/** The words around a diagnostic are heard when it says little itself, and they say more. */
function better(first: Finding, ask: () => Finding): Finding {
  if (first.by === 'words') return first;
  const second = ask();
  if (first.by === 'left') return second.by === 'left' && first.reason !== 'unsaid' ? first : second;
  return second.by === 'words' ? second : first;
}

/** A delay of which no more is known. */
function late(finding: Finding): Finding {
  const isKnown = finding.by !== 'left' || finding.reason === 'mailer' || finding.reason === 'protocol';
  return isKnown ? finding : { ...finding, reason: 'expired' };
}

const DELAYED = `warning message only | will be retried | will keep trying | still undelivered | will continue to try
  | do not need to resend`
  .split('|')
  .map(phrase);

function isDelay(text: string): boolean {
  const words = normalise(text);
  return DELAYED.some((one) => says(words, one));
}

const MAX_LISTED = 100;

/** Each recipient of a report in prose. */
export function findProse(report: Report): Found[] {
  const { message, transcript, programs } = report;
  // A list manager says in the subject what it has against a message.
  const text = programs.includes('fml') ? `${message.field('subject')}\n${transcript.text}` : transcript.text;
  const whole = { text, words: new Reading(text), codes: codesIn(text), isDelay: isDelay(text) };
  const named = namedIn(report);
  if (named.length > 0) return named.map((told) => findTold(report, told, whole, named.length === 1));
  const listed = message
    .field('x-failed-recipients')
    .split(',', MAX_LISTED)
    .map((one) => one.trim().toLowerCase());
  const sender = addressIn(message.field('to'));
  const [mentioned = ''] = transcript.mentioned.filter((one) => one !== sender);
  const unnamed = listed.some((one) => one !== '') ? listed : [mentioned];
  return unnamed.map((recipient) => findTold(report, { recipient, text, command: undefined }, whole, true));
}

/** Whoever gets the report has written the message, and is named in many reports too. */
function namedIn({ message, transcript }: Report): Told[] {
  const sender = addressIn(message.field('to'));
  const others = transcript.recipients.filter((one) => one.recipient !== sender);
  return others.length > 0 ? others : transcript.recipients;
}

const addressIn = (field: string) => /[^\s<>"]{1,128}@[^\s<>",]{1,255}/.exec(field)?.[0].toLowerCase();

function findTold(
  { message, programs }: Report,
  told: Told,
  whole: { text: string; words: Reading; codes: Codes; isDelay: boolean },
  isAlone: boolean,
): Found {
  const near = codesIn(told.text);
  const isNear = near.statuses.length > 0 || near.replyCode !== undefined;
  // What is said of others is not said of this one, unless nothing is said of any.
  const codes = isNear || !isAlone ? near : whole.codes;
  const anyStatus = bestOf(whole.codes.statuses);
  const status = bestOf(codes.statuses) ?? (isAlone ? anyStatus : undefined);
  const replyCode = fitting(codes.replyCodes, status) ?? codes.replyCode;
  const command =
    told.command ??
    (isAlone ? wordedCommand(whole.text) : undefined) ??
    namedCommand(told.text) ??
    (isAlone ? namedCommand(whole.text) : undefined);
  const evidence: Omit<Evidence, 'text'> = {
    status,
    replyCode,
    command,
    programs,
    quoted: replyCode !== undefined || /^\S+ \[/.test(told.text),
    systems: [domainOf(told.recipient), ...hostsIn(told.text), ...systemsOf(message)],
  };
  // KDDI says above the recipient what is wrong with it.
  const isWhole = told.text === whole.text || (isAlone && programs.includes('kddi'));
  const first = classify({ ...evidence, text: isWhole ? whole.words : new Reading(told.text) });
  const spoken = { status: status ?? anyStatus, replyCode: replyCode ?? whole.codes.replyCode };
  const finding =
    isAlone || !isNear ? better(first, () => classify({ ...evidence, ...spoken, text: whole.words })) : first;
  const { reason } = whole.isDelay ? late(finding) : finding;
  const isSilent = reason === 'unclear' && programs.includes('qmail') && isAddress(told.text);
  const isTemporary = / temporar| persistent/i.test(told.text);
  return { recipient: told.recipient, reason: isSilent ? 'unsaid' : reason, status, replyCode, isTemporary };
}

const isAddress = (text: string) => /^[^\w@]{0,20}[^\s@]{1,300}@[^\s@]{1,300}\s{0,20}$/.test(text);

/** The first code of the class that the status has. */
function fitting(codes: readonly number[], status: string | undefined): number | undefined {
  return status === undefined ? undefined : codes.find((code) => String(code)[0] === status[0]);
}

const statusesIn = (text: string) => codesIn(text).statuses;

/** The one of several statuses in a text that says most. */
function bestOf(statuses: readonly string[]): string | undefined {
  const failed = statuses.filter((one) => !one.startsWith('2.'));
  const all = failed.length > 0 ? failed : statuses;
  return all.reduce<string | undefined>((best, one) => preferredStatus(best, one), undefined);
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

const MAX_HOSTS = 20;

/** Names of hosts in a text, for who is quoted without a field of its own. */
function hostsIn(text: string): string[] {
  const found = text
    .slice(0, 4096)
    .matchAll(/(?<![\w.@-])[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){2,6}(?![\w@])/gi);
  return [...found].slice(0, MAX_HOSTS).map(([host]) => host.toLowerCase());
}

const systemsOf = (message: Readable) => [message.field('from'), message.field('message-id')].map(domainOf);
const bare = (recipient: string) => recipient.replace(/^<|>$/g, '').trim().toLowerCase();
const domainOf = (field: string) => hostOf(field.slice(field.lastIndexOf('@') + 1));
const hostOf = (host: string) => /^[a-z0-9.-]{1,255}/i.exec(host.trim())?.[0].toLowerCase() ?? '';
