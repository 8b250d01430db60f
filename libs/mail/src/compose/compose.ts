import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mailbox } from '../address/address.ts';
import { normaliseMessage } from '../message/normalise.ts';
import { accept, type Result } from '../refusal.ts';
import { readFormHeaders, type FormFile, type MessageForm } from './form.ts';

export interface ComposedMessage {
  /** CRLF throughout, no Bcc, no trace fields. */
  raw: Buffer;
  messageId: string;
}

/**
 * Builds the message of a form (RFC 5322, RFC 2045 to 2049). All content comes from the form's own bytes: nothing is
 * read from a path or fetched from a URL, whatever the texts say.
 */
export async function composeMessage(form: MessageForm): Promise<Result<ComposedMessage>> {
  const headers = readFormHeaders(form);
  if (!headers.ok) return headers;
  const { replyTo, sender, other, messageId = form.messageId } = headers.value;
  const composer = new MailComposer({
    from: named(form.from),
    to: form.to.map(named),
    cc: (form.cc ?? []).map(named),
    ...(replyTo.length > 0 && { replyTo: replyTo.map(named) }),
    ...(sender && { sender: named(sender) }),
    subject: form.subject.toWellFormed(),
    ...(form.text !== undefined && { text: { content: withCrlf(form.text) } }),
    ...(form.html !== undefined && { html: { content: withCrlf(form.html) } }),
    attachments: [...(form.attachments ?? []).map(attached), ...(form.inline ?? []).map(inlined)],
    headers: other,
    date: form.date,
    messageId,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // An attached message stands in the clear (RFC 2046 5.2.1), so the rule for raw messages holds for it as well.
  const raw = normaliseMessage(await composer.compile().build(), 'attachment');
  return raw.ok ? accept({ raw: raw.value, messageId }) : raw;
}

function withCrlf(text: string): string {
  return text.toWellFormed().replace(/\r\n?|\n/g, '\r\n');
}

function named({ name, address }: Mailbox): { name: string; address: string } {
  return { name, address };
}

function attached({ filename, contentType, content }: FormFile) {
  // Base64 for text as well: an attachment arrives byte for byte.
  const contentTransferEncoding = contentType?.toLowerCase().startsWith('message/') ? false : 'base64';
  return {
    filename: filename.toWellFormed(),
    contentType,
    content,
    contentDisposition: 'attachment',
    contentTransferEncoding,
  } as const;
}

function inlined(file: FormFile) {
  return { ...attached(file), contentDisposition: 'inline', cid: file.filename.toWellFormed() };
}
