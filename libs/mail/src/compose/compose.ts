import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mailbox } from '../address/address.ts';
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
    // As bytes, so that a text is never taken for a descriptor.
    ...(form.text !== undefined && { text: { content: form.text.toWellFormed() } }),
    ...(form.html !== undefined && { html: { content: form.html.toWellFormed() } }),
    attachments: [...(form.attachments ?? []).map(attached), ...(form.inline ?? []).map(inlined)],
    headers: other,
    date: form.date,
    messageId,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return accept({ raw: await composer.compile().build(), messageId });
}

function named({ name, address }: Mailbox): { name: string; address: string } {
  return { name, address };
}

function attached({ filename, contentType, content }: FormFile) {
  return { filename: filename.toWellFormed(), contentType, content, contentDisposition: 'attachment' };
}

function inlined({ filename, contentType, content }: FormFile) {
  const name = filename.toWellFormed();
  return { filename: name, contentType, content, contentDisposition: 'inline', cid: name };
}
