import libmime from 'libmime';
import type { Mailbox } from '../address/address.ts';
import { headerLine, mailDate } from '../message/edit.ts';
import { accept, type Result } from '../refusal.ts';
import { readFormHeaders, type FormHeaders, type MessageForm } from './form.ts';
import { filePart, multipart, textPart, type Part } from './part.ts';

export interface ComposedMessage {
  /** CRLF throughout, no Bcc, no trace fields. */
  raw: Buffer;
  messageId: string;
}

/** RFC 5322 3.2.3 atoms and blanks: a display name of these needs no quotes. */
const PLAIN_NAME = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*$/;
const FOLD_AT = 76;

/**
 * Builds the message of a form (RFC 5322, RFC 2045 to 2049): `mixed(related(alternative(text, amp, html), inline…), attachments…)`,
 * of which only the layers that are needed are there. All content is the form's own bytes; nothing is read or fetched.
 */
export async function composeMessage(form: MessageForm): Promise<Result<ComposedMessage>> {
  const headers = readFormHeaders(form);
  if (!headers.ok) return headers;
  const body = composeBody(form);
  if (!body.ok) return body;
  const messageId = headers.value.messageId ?? form.messageId;
  const header = `${headerBlock(form, headers.value, messageId)}MIME-Version: 1.0\r\n${body.value.header}\r\n`;
  const { content } = body.value;
  const end = content.at(-1) === 0x0a ? '' : '\r\n';
  return accept({ raw: Buffer.concat([Buffer.from(header, 'utf8'), content, Buffer.from(end)]), messageId });
}

function headerBlock(form: MessageForm, { replyTo, sender, other }: FormHeaders, messageId: string): string {
  const lines = [
    addressLine('From', [form.from]),
    sender ? addressLine('Sender', [sender]) : '',
    addressLine('To', form.to),
    addressLine('Cc', form.cc ?? []),
    addressLine('Reply-To', replyTo),
    headerLine('Subject', form.subject.toWellFormed()),
    `Message-ID: ${messageId}\r\n`,
    `Date: ${mailDate(form.date)}\r\n`,
    ...other.map(([name, value]) => headerLine(name, value)),
  ];
  return lines.join('');
}

/** The content of a form, without what stands before it. */
export function composeBody(form: Pick<MessageForm, 'text' | 'amp' | 'html' | 'inline' | 'attachments'>): Result<Part> {
  const texts: Part[] = [];
  if (form.text !== undefined || form.html === undefined) texts.push(textPart('plain', form.text ?? ''));
  // Before the HTML: some clients show the last part, whether they know its type or not.
  if (form.amp !== undefined) texts.push(textPart('x-amp-html', form.amp));
  if (form.html !== undefined) texts.push(textPart('html', form.html));
  const inline: Part[] = [];
  const attachments: Part[] = [];
  for (const [files, disposition, parts] of [
    [form.inline ?? [], 'inline', inline],
    [form.attachments ?? [], 'attachment', attachments],
  ] as const) {
    for (const file of files) {
      const part = filePart(file, disposition);
      if (!part.ok) return part;
      parts.push(part.value);
    }
  }
  const text = wrapped('alternative', texts);
  const shown = wrapped('related', [text, ...inline]);
  return accept(wrapped('mixed', [shown, ...attachments]));
}

function wrapped(subtype: 'mixed' | 'related' | 'alternative', parts: Part[]): Part {
  const [first, ...more] = parts;
  return first !== undefined && more.length === 0 ? first : multipart(subtype, parts);
}

/** One field of mailboxes, folded between them; '' for none. */
export function addressLine(name: string, mailboxes: readonly Pick<Mailbox, 'name' | 'address'>[]): string {
  if (mailboxes.length === 0) return '';
  let lines = `${name}: `;
  let width = lines.length;
  mailboxes.forEach((mailbox, index) => {
    const text = mailboxText(mailbox) + (index < mailboxes.length - 1 ? ',' : '');
    const fold = index > 0 && width + text.length >= FOLD_AT;
    lines += `${fold ? '\r\n ' : index > 0 ? ' ' : ''}${text}`;
    width = (fold ? 0 : width) + text.length + 1;
  });
  return `${lines}\r\n`;
}

function mailboxText({ name, address }: Pick<Mailbox, 'name' | 'address'>): string {
  const trimmed = name.trim();
  if (trimmed === '') return address;
  // What looks like an encoded word would be decoded by readers: it is encoded itself.
  const encoded = !/^[ -~]*$/.test(trimmed) || trimmed.includes('=?');
  if (encoded) return `${libmime.encodeWord(trimmed, 'Q', 52).replaceAll('?= =?', '?=\r\n =?')} <${address}>`;
  return `${PLAIN_NAME.test(trimmed) ? trimmed : `"${trimmed.replace(/["\\]/g, String.raw`\$&`)}"`} <${address}>`;
}
