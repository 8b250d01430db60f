import type { Command } from '../rules/rule.ts';
import { normalise, phrase, says, trimPunctuation } from '../words.ts';

/** What a report in prose says of one recipient. */
export interface Told {
  recipient: string;
  /** The lines that begin with the recipient, up to the next one. */
  text: string;
  /** Of the transcript around them (`>>> RCPT TO`), or as the sentence says. */
  command: Command | undefined;
}

export interface Transcript {
  recipients: Told[];
  /** Who is only named as in a header ("To: …"), for reports that name nobody better. */
  mentioned: string[];
  /** All that stands before the returned message. */
  text: string;
  /** What the other servers said (`<<<`), with the command each was answering. */
  replies: { text: string; command: Command | undefined }[];
}

const MAX_LINES = 20_000;
const MAX_RECIPIENTS = 1000;
const MAX_LINE = 2000;
const MAX_TEXT = 16 * 1024;

/** Where reports without structure begin to return the message. */
const RETURNED = `below this line is a copy | copy of the message | copy of your message | copy of the original message
  | original message follows | original message headers | message headers follow | message header follows
  | header of the original message | original mail info | message contents follow | undelivered message follows
  | en tetes de message | beginning of the returned message`
  .split('|')
  .map(phrase);
/** The same, said in a line that is drawn with dashes. */
const DRAWN =
  'unsent message | returned message | original message | original mail | undelivered message | message header | message headers | your message | mail text'
    .split('|')
    .map(phrase);
/** Only a message's own header has these at the beginning of a line. */
const TRACE = /^(?:> ?){0,3}(?:received|return-path|dkim-signature|x-received|mime-version)\s{0,4}:/i;

/** Exim tells whoever reads the report for others whose message it was. */
const SENDER_FOLLOWS = /\bsent by:?\s{0,4}$/i;
const MAX_INTRODUCTION = 40;

/** Sendmail's arrows, InterScan's, which point the other way in English alone, and Postfix's words. */
const SENT = /^(?:>>>|Sent <<<|(?!Received )[^\s<>]{2,20} >>>|In:)\s{0,4}(\S.*)$/;
const GOT = /^(?:<<<|Received >>>|(?!Sent )[^\s<>]{2,20} <<<|Out:)\s{0,4}(\S.*)$/;

const COMMANDS: readonly (readonly [RegExp, Command])[] = [
  [/^(?:rcpt)/, 'RCPT'],
  [/^(?:mail|send|soml|saml)\b/, 'MAIL'],
  [/^(?:data|bdat|\.$|end of data|\.)/, 'DATA'],
  [/^(?:ehlo|helo|lhlo)/, 'EHLO'],
  [/^(?:starttls)/, 'STARTTLS'],
  [/^(?:auth)/, 'AUTH'],
  [/^(?:connect|conn|initial)/, 'CONNECT'],
];

/** How mail systems word which command was answered. */
const WORDED = (
  [
    ['in reply to rcpt', 'RCPT'],
    ['in reply to end of data', 'DATA'],
    ['in reply to data', 'DATA'],
    ['in reply to mail from', 'MAIL'],
    ['in reply to helo', 'EHLO'],
    ['in reply to ehlo', 'EHLO'],
    ['in reply to auth', 'AUTH'],
    ['in reply to starttls', 'STARTTLS'],
    ['after rcpt', 'RCPT'],
    ['after pipelined rcpt', 'RCPT'],
    ['after mail from', 'MAIL'],
    ['after pipelined mail', 'MAIL'],
    ['after end of data', 'DATA'],
    ['after data', 'DATA'],
    ['after pipelined data', 'DATA'],
    ['after sending data', 'DATA'],
    ['after initial connection', 'CONNECT'],
    ['after ehlo', 'EHLO'],
    ['after helo', 'EHLO'],
    ['after starttls', 'STARTTLS'],
    ['but greeting failed', 'CONNECT'],
    ['but my name was rejected', 'EHLO'],
    ['but sender was rejected', 'MAIL'],
    ['in reply to initial', 'CONNECT'],
    ['for mail from command', 'MAIL'],
    ['for rcpt to command', 'RCPT'],
    ['for text command', 'DATA'],
    ['after mail command', 'MAIL'],
    ['following mail command', 'MAIL'],
    ['following data command', 'DATA'],
    ['following ehlo command', 'EHLO'],
    ['following helo command', 'EHLO'],
    ['data command generated response', 'DATA'],
    ['additional rcpt to generated following response', 'RCPT'],
    ['server response to mail from', 'MAIL'],
    ['unexpected response to ehlo', 'EHLO'],
    ['unexpected connection response from server', 'CONNECT'],
    ['smtp connection failed', 'CONNECT'],
    ['smtp rcpt host', 'RCPT'],
    ['smtp mail host', 'MAIL'],
    ['smtp data host', 'DATA'],
    ['rejected during rcpt', 'RCPT'],
    ['refused to talk to me', 'EHLO'],
    ['did not like our rcpt', 'RCPT'],
    ['did not like our mail', 'MAIL'],
    ['did not like our data', 'DATA'],
    ['did not like our ehlo', 'EHLO'],
    ['did not like our helo', 'EHLO'],
    ['does not like recipient', 'RCPT'],
    ['does not like sender', 'MAIL'],
    ['failed on data command', 'DATA'],
    ['failed after i sent the message', 'DATA'],
    ['following rcpt command', 'RCPT'],
    ['rejected recipient', 'RCPT'],
    ['rcpt to command', 'RCPT'],
    ['mail from command', 'MAIL'],
    ['smtp command rcpt', 'RCPT'],
    ['smtp command mail', 'MAIL'],
    ['smtp command data', 'DATA'],
    ['smtp command ehlo', 'EHLO'],
    // Gmail's own numbers.
    ['state 13', 'EHLO'],
    ['state 14', 'RCPT'],
    ['state 17', 'DATA'],
    ['state 18', 'DATA'],
  ] as const
).map(([text, command]) => ({ phrase: phrase(text), command }));

/** What stands before an address that was not reached. */
const INTRODUCES = [
  'recipient address',
  'recipient',
  'rcpt to',
  'rcpt',
  'delivered to',
  'undeliverable to',
  'deliver to',
  'mail to',
  'your mail to',
  'message to',
  'sent to',
  'unknown user',
  'user',
  'userid',
  'addressed to',
  'address',
  'failed recipient',
  'for',
  'recipients',
  'smtp',
  'recipients were affected',
  'allowed size',
  'attempts',
  'virus detected',
  'id in',
];

export function readTranscript(text: string): Transcript {
  const recipients: Told[] = [];
  const byAddress = new Map<string, Told>();
  const replies: Transcript['replies'] = [];
  const mentioned: string[] = [];
  const kept: string[] = [];
  let command: Command | undefined;
  let current: Told | undefined;
  let before = '';
  let isOneLine = false;
  let size = 0;
  for (const raw of text.split(/\r?\n/, MAX_LINES)) {
    const line = raw.slice(0, MAX_LINE);
    if (size > 0 && endsReport(line)) break;
    if (size > MAX_TEXT) break;
    const plain = unquote(line);
    const sent = SENT.exec(plain)?.[1];
    const asked = sent === undefined ? undefined : commandOf(sent);
    if (asked) command = asked;
    const got = GOT.exec(plain)?.[1];
    // A good answer says nothing about what failed.
    if (got !== undefined && /^[23]\d\d(?:[ -]|$)/.test(got)) continue;
    if (got !== undefined && replies.length < MAX_RECIPIENTS) replies.push({ text: got, command });
    const isSender = asked === 'MAIL' || SENDER_FOLLOWS.test(before);
    const { recipient, mentioned: mention, coded } = isSender ? {} : recipientOf(plain);
    if (plain.trim() !== '') before = plain.slice(-MAX_INTRODUCTION);
    if (mention !== undefined && mentioned.length < MAX_RECIPIENTS) mentioned.push(mention);
    // Sendmail's transcripts have one line for each, with its code in front.
    if (isOneLine && recipient === undefined) current = undefined;
    if (recipient !== undefined) {
      isOneLine = coded === true;
      const known = byAddress.get(recipient);
      current = known ?? { recipient, text: '', command: undefined };
      if (!known && recipients.length < MAX_RECIPIENTS) {
        byAddress.set(recipient, current);
        recipients.push(current);
      }
    }
    if (current && current.text.length < MAX_TEXT) {
      current.text += `${plain}\n`;
      if (got !== undefined || recipient !== undefined) current.command = command ?? current.command;
    }
    kept.push(plain);
    if (plain.trim() !== '') size += plain.length + 1;
  }
  for (const one of recipients) one.command = wordedCommand(one.text) ?? one.command;
  return { recipients, mentioned, text: kept.join('\n'), replies };
}

/** The command that a sentence names ("in reply to RCPT TO command"). */
export function wordedCommand(text: string): Command | undefined {
  const bracketed = /\[(RCPT|MAIL|DATA|HELO|EHLO|CONN)[A-Z_]{0,8}\]/.exec(text)?.[1];
  if (bracketed !== undefined) return commandOf(bracketed);
  const words = normalise(text.slice(0, MAX_TEXT));
  return WORDED.find((one) => says(words, one.phrase))?.command;
}

/** A command that stands in a text by its name, of which the last one in a session's order counts. */
export function namedCommand(text: string): Command | undefined {
  // Some list the envelope, as fields.
  const shown = text.slice(0, MAX_TEXT).replace(/^[ \t]{0,8}(?:MAIL FROM|RCPT TO):.*$/gm, '');
  return NAMED.findLast(([pattern]) => pattern.test(shown))?.[1];
}

const NAMED: readonly (readonly [RegExp, Command])[] = [
  [/(?<![\w@.-])(?:HELO|EHLO)(?![\w@])/, 'EHLO'],
  [/(?<![\w@.-])STARTTLS(?![\w@])/, 'STARTTLS'],
  [/(?<![\w@.-])AUTH (?:PLAIN|LOGIN|CRAM-|DIGEST-)/, 'AUTH'],
  [/(?<![\w@.-])MAIL F/, 'MAIL'],
  [/(?<![\w@.-])RCPT(?![\w@])/, 'RCPT'],
  [/(?<![\w@.-])DATA(?![\w@])/, 'DATA'],
];

function commandOf(sent: string): Command | undefined {
  const word = sent.toLowerCase();
  return COMMANDS.find(([pattern]) => pattern.test(word))?.[1];
}

function endsReport(line: string): boolean {
  if (TRACE.test(line)) return true;
  if (line.length > 120) return false;
  const words = normalise(line);
  return (
    RETURNED.some((one) => says(words, one)) ||
    (/^\s{0,8}[-=*_]{2}/.test(line) && DRAWN.some((one) => says(words, one)))
  );
}

function unquote(line: string): string {
  const bare = /^(?:> ){1,3}/.exec(line)?.[0];
  const rest = bare === undefined ? line : line.slice(bare.length);
  return rest.startsWith('>>>>') ? rest.slice(1).trim() : rest.trim();
}

/** The address a line is about: it begins with one, or with words that introduce one, or with a code and one (sendmail). */
function recipientOf(line: string): { recipient?: string; mentioned?: string; coded?: boolean } {
  if (line.indexOf('@') < 1) return {};
  const words = line.slice(0, 400).split(/\s+/, 12);
  const index = words.findIndex((word) => word.includes('@'));
  const recipient = addressIn(words[index] ?? '');
  if (recipient === undefined) return {};
  const before = normalise(words.slice(0, index).join(' ')).trim();
  if (before === 'to') return { mentioned: recipient };
  const coded = /^\d{3}$/.test(before);
  const introduced = INTRODUCES.some((one) => before === one || (one.length > 3 && before.endsWith(` ${one}`)));
  return before === '' || coded || introduced ? { recipient, coded } : {};
}

function addressIn(word: string): string | undefined {
  const open = word.indexOf('<');
  const from = word.slice(open + 1);
  const inner = open >= 0 && from.includes('@') ? (from.split('>', 1)[0] ?? '') : word;
  const bare = trimPunctuation(
    inner.replace(/^(?:mailto|rfc822)[:;]/i, '').split(/[>(;,[]|mailto:/, 1)[0] ?? '',
  ).toLowerCase();
  return /^[^@\s]{1,128}@[a-z0-9._\u0080-\uffff-]{2,255}$/.test(bare) ? bare : undefined;
}
