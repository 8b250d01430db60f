import { parseAddressList } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import { accept, hasControlCharacter, refuse, type Refusal, type Result } from '../refusal.ts';

export interface FormFile {
  filename: string;
  /** Media type, without or with parameters; undefined lets the name decide. */
  contentType?: string | undefined;
  content: Buffer;
  /** Of an inline part, by which the HTML finds it; its name where there is none. */
  contentId?: string;
}

/** A message as a form gives it, its addresses already read with `parseAddressList`. Bcc is envelope only: never here. */
export interface MessageForm {
  from: Pick<Mailbox, 'name' | 'address'>;
  to: readonly Pick<Mailbox, 'name' | 'address'>[];
  cc?: readonly Mailbox[];
  subject: string;
  text?: string | undefined;
  html?: string | undefined;
  /** AMP for e-mail: clients that do not run it show the HTML or the text. */
  amp?: string | undefined;
  attachments?: readonly FormFile[];
  /** Pictures and the like that the HTML shows by `cid:<filename>`. */
  inline?: readonly FormFile[];
  /** The form's `h:` fields in order, without the prefix. */
  headers?: readonly (readonly [name: string, value: string])[];
  date: Date;
  /** With angle brackets; a valid `h:Message-Id` takes its place. */
  messageId: string;
}

/** The form's headers, sorted by what happens to them. */
export interface FormHeaders {
  replyTo: Mailbox[];
  sender: Mailbox | undefined;
  messageId: string | undefined;
  other: (readonly [name: string, value: string])[];
}

const FIELD_NAME = /^[!-9;-~]{1,100}$/;
const MESSAGE_ID = /^<[!-;=?A-~]{1,120}@[!-;=?A-~]{1,120}>$/;
const MAX_VALUE_CHARACTERS = 16 * 1024;
const MAX_HEADERS = 200;

/** Ours: set from the form's own parameters, by the way the message is built, or on its way (RFC 5321 4.4, RFC 6376). */
const RESERVED = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'mime-version',
  'return-path',
  'received',
  'delivered-to',
  'dkim-signature',
  'domainkey-signature',
  'authentication-results',
  'received-spf',
  'resent-bcc',
]);
const RESERVED_PREFIXES = ['content-', 'arc-', 'x-mailgun-'];

/**
 * Checks everything of a form that ends in a header. Refused with the name of the field: CR, LF, NUL and other control
 * characters, names that are no field names (RFC 5322 2.2), and the headers that are not the sender's to set.
 */
export function readFormHeaders(form: MessageForm): Result<FormHeaders> {
  const injected = injectedField(form);
  if (injected) return { ok: false, refusal: injected };
  const headers: FormHeaders = { replyTo: [], sender: undefined, messageId: undefined, other: [] };
  if ((form.headers?.length ?? 0) > MAX_HEADERS)
    return refuse('h:', 'too-many', `at most ${MAX_HEADERS} headers are taken`);
  for (const [name, value] of form.headers ?? []) {
    const refusal = readHeader(headers, name, value);
    if (refusal) return { ok: false, refusal };
  }
  return accept(headers);
}

function readHeader(headers: FormHeaders, name: string, value: string): Refusal | undefined {
  // Not quoted where it is no name: it may be anything.
  if (!FIELD_NAME.test(name)) return refuse('h:', 'malformed', 'the name of a header is not valid').refusal;
  const field = `h:${name}`;
  const key = name.toLowerCase();
  if (RESERVED.has(key) || RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix))) {
    return refuse(field, 'reserved', 'this header is set by the platform or by a parameter of its own').refusal;
  }
  if (hasControlCharacter(value)) return controlCharacter(field);
  if (value.length > MAX_VALUE_CHARACTERS)
    return refuse(field, 'too-long', 'the value of the header is too long').refusal;
  if (key === 'reply-to' || key === 'sender') {
    const mailboxes = parseAddressList(value, field);
    if (!mailboxes.ok) return mailboxes.refusal;
    if (key === 'reply-to') headers.replyTo.push(...mailboxes.value);
    else headers.sender = mailboxes.value[0];
  } else if (key === 'message-id') {
    const id = value.trim();
    if (!MESSAGE_ID.test(id)) return refuse(field, 'malformed', 'a Message-Id needs the form <left@right>').refusal;
    headers.messageId = id;
  } else {
    headers.other.push([name, value.toWellFormed()]);
  }
  return undefined;
}

function injectedField(form: MessageForm): Refusal | undefined {
  if (hasControlCharacter(form.subject)) return controlCharacter('subject');
  for (const [field, files] of [
    ['attachment', form.attachments ?? []],
    ['inline', form.inline ?? []],
  ] as const) {
    for (const { filename, contentType = '' } of files) {
      if (hasControlCharacter(filename) || hasControlCharacter(contentType)) return controlCharacter(field);
    }
  }
  return undefined;
}

function controlCharacter(field: string): Refusal {
  return refuse(field, 'control-character', 'a line break or another control character is not allowed here').refusal;
}
