import { randomUUID } from 'node:crypto';
import {
  asksToUnsubscribe,
  composeMessage,
  EACH_RECIPIENT,
  parseAddressList,
  type Mailbox as ParsedMailbox,
  type MessageForm,
} from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { RelatedMailbox, Submission } from '../accept/submission.ts';
import type { Form } from '../form/form.parser.ts';
import { readOptions } from './options.ts';
import { handedIn, sentAt, type Origin } from './origin.ts';
import { assertMergeable, each, readRecipientVariables } from './recipient.variables.ts';
import { readRecipientMailboxes, toMailbox, withoutRepeats } from './recipients.ts';
import { taken } from './refusals.ts';

/**
 * `POST /v3/{domain}/messages`: composes the message from the form's fields.
 * @throws ApiError 400 naming the field.
 */
export async function submissionOfForm(form: Form, origin: Origin): Promise<Submission> {
  const from = only('from', taken(parseAddressList(required(form, 'from'), 'from', { max: 1 })));
  const mailboxes = readRecipientMailboxes(form);
  const shared = withoutRepeats(mailboxes);
  const variables = readRecipientVariables(form);
  const own = variables && each(shared, variables);
  const options = readOptions(form);
  const content = readContent(form);
  for (const field of ['attachment', 'inline']) {
    // Taken for text it would be lost without a word.
    if (form.fields.get(field)?.some((value) => value !== '')) {
      throw new ApiError(400, `'${field}' must be a file: send it as a part with a filename`, { field });
    }
  }
  const subject = form.fields.get('subject')?.at(-1) ?? '';
  const attachments = form.files.filter(({ field }) => field === 'attachment');
  const shown = (role: string): ParsedMailbox[] =>
    mailboxes.filter((one) => one.role === role).map(({ mailbox }) => mailbox);

  const { raw, messageId } = taken(
    await composeMessage({
      from,
      ...(own ? { to: [EACH_RECIPIENT] } : { to: shown('to'), cc: shown('cc') }),
      subject,
      ...content,
      attachments,
      inline: form.files.filter(({ field }) => field === 'inline'),
      headers: options.headers,
      messageId: `<${randomUUID()}@${origin.domain}>`,
      date: sentAt(options, origin),
    }),
  );
  if (own) assertMergeable(raw, own);
  // Read by the composer already: what is no list of addresses was refused there.
  const replyTo = options.headers.filter(([name]) => name.toLowerCase() === 'reply-to').map(([, value]) => value);
  const replyToMailboxes = replyTo.length > 0 ? taken(parseAddressList(replyTo, 'h:Reply-To', { max: 10 })) : [];

  const related: RelatedMailbox[] = [
    { ...toMailbox(from), role: 'from' },
    ...replyToMailboxes.map((mailbox): RelatedMailbox => ({ ...toMailbox(mailbox), role: 'reply-to' })),
  ];
  return {
    raw,
    recipients: own ?? shared,
    related,
    subject,
    messageIdHeader: messageId.slice(1, -1),
    attachments: attachments.map(({ filename, contentType, content: { length } }) => ({
      filename,
      contentType,
      size: length,
    })),
    ...(form.template ? { template: form.template } : {}),
    ...(asksToUnsubscribe(raw) ? { unsubscribe: true } : {}),
    ...handedIn(options, origin),
  };
}

function readContent(form: Form): Pick<MessageForm, 'text' | 'amp' | 'html'> {
  const of = (field: string): string | undefined => form.fields.get(field)?.at(-1);
  const content = { text: of('text'), amp: of('amp-html'), html: of('html') };
  if (Object.values(content).every((text) => text === undefined)) {
    throw new ApiError(400, `Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified`, {
      field: 'text',
    });
  }
  return content;
}

function required(form: Form, field: string): string[] {
  const values = form.fields.get(field)?.filter((value) => value.trim() !== '') ?? [];
  if (values.length === 0) throw new ApiError(400, `'${field}' parameter is missing`, { field });
  return values;
}

function only(field: string, [mailbox]: ParsedMailbox[]): ParsedMailbox {
  if (!mailbox) throw new ApiError(400, `'${field}' parameter is missing`, { field });
  return mailbox;
}
