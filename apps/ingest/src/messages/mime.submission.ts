import { randomUUID } from 'node:crypto';
import {
  asksToUnsubscribe,
  EACH_RECIPIENT,
  headerLine,
  missingHeaders,
  normalForm,
  normaliseMessage,
  prependHeaders,
  removeHeaders,
  scanMime,
  type Mailbox as ParsedMailbox,
} from '@lethe/mail';
import { ApiError } from '@lethe/service';
import type { RelatedMailbox, Submission, SharedRecipient } from '../accept/submission.ts';
import type { Form } from '../form/form.parser.ts';
import { readOptions } from './options.ts';
import { handedIn, sentAt, type Origin } from './origin.ts';
import { assertMergeable, each, readRecipientVariables } from './recipient.variables.ts';
import { readRecipientMailboxes, toMailbox, withoutRepeats } from './recipients.ts';
import { taken } from './refusals.ts';

/** Consumed here: what would tell recipients about each other (RFC 5322 §3.6.3), and a former delivery's trace. */
const REMOVED = ['bcc', 'resent-bcc', 'return-path', 'x-mailgun-*'];

/**
 * `POST /v3/{domain}/messages.mime`: the message as it is. `to` is the whole envelope; the message's own To and Cc only say
 * who of them is visible. Its body is sent on byte for byte after CRLF normalisation.
 * @throws ApiError 400 naming the field and the reason.
 */
export function submissionOfMime(form: Form, origin: Origin): Submission {
  const recipients = withoutRepeats(readRecipientMailboxes(form));
  const options = readOptions(form);
  const normalised = taken(normaliseMessage(messageOf(form), 'message'));
  const scan = taken(scanMime(normalised));
  const from = scan.from[0];
  const messageIdHeader = bareId(scan.messageId) ?? `${randomUUID()}@${origin.domain}`;
  const missing = missingHeaders(normalised, {
    from: `postmaster@${origin.domain}`,
    date: sentAt(options, origin),
    messageId: `<${messageIdHeader}>`,
  });
  const sender = toMailbox(from ?? { address: `postmaster@${origin.domain}`, name: '' });
  const variables = readRecipientVariables(form);
  const roled = withRoles(recipients, scan);
  const own = variables && each(roled, variables);
  const raw = own
    ? prependHeaders(removeHeaders(normalised, [...REMOVED, 'to', 'cc']), [
        ...missing,
        headerLine('To', EACH_RECIPIENT.address),
      ])
    : prependHeaders(removeHeaders(normalised, REMOVED), missing);
  if (own) assertMergeable(raw, own);
  return {
    raw,
    recipients: own ?? roled,
    related: [
      { ...sender, role: 'from' },
      ...scan.replyTo.slice(0, 10).map((mailbox): RelatedMailbox => ({ ...toMailbox(mailbox), role: 'reply-to' })),
    ],
    otherAuthors: scan.authors?.map(({ address }) => normalForm(address)) ?? 'unclear',
    subject: scan.subject,
    messageIdHeader,
    attachments: scan.attachments.map(({ filename, contentType, size }) => ({ filename, contentType, size })),
    ...(form.template ? { template: form.template } : {}),
    ...(asksToUnsubscribe(raw) ? { unsubscribe: true } : {}),
    ...handedIn(options, origin),
  };
}

/** SDKs send the message as a file part or, where it is a string, as an ordinary field. */
export function messageOf(form: Form): Buffer {
  const file = form.files.find(({ field }) => field === 'message');
  if (file) return file.content;
  const text = form.fields.get('message')?.at(-1);
  if (!text) throw new ApiError(400, `'message' parameter is missing`, { field: 'message' });
  return Buffer.from(text, 'utf8');
}

/** Whom the message shows is visible; everyone else in the envelope is blind. */
function withRoles(
  recipients: readonly SharedRecipient[],
  scan: { readonly to: readonly ParsedMailbox[]; readonly cc: readonly ParsedMailbox[] },
): SharedRecipient[] {
  const forms = (list: readonly ParsedMailbox[]) =>
    new Map(list.map(({ address, name }) => [normalForm(address), name]));
  const [to, cc] = [forms(scan.to), forms(scan.cc)];
  return recipients.map((recipient) => {
    const role = to.has(recipient.normalForm) ? 'to' : cc.has(recipient.normalForm) ? 'cc' : 'bcc';
    const name = recipient.name ?? to.get(recipient.normalForm) ?? cc.get(recipient.normalForm);
    return { ...recipient, role, ...(name ? { name } : {}) };
  });
}

function bareId(messageId: string): string | undefined {
  const id = /<([^<>\s]{1,250})>/.exec(messageId)?.[1] ?? messageId.trim();
  return /^[!-~]{1,250}$/.test(id) ? id : undefined;
}
