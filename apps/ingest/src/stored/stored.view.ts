import { isUtf8 } from 'node:buffer';
import { stripText, viewMail, type MailView, type ViewedAttachment } from '@lethe/mail';
import type { Answer } from '@lethe/service';
import { z } from 'zod';
import type { Envelopes } from './stored.service.ts';

const WRITTEN = [
  'From',
  'To',
  'Cc',
  'Reply-To',
  'Subject',
  'Date',
  'Message-Id',
  'Mime-Version',
  'Content-Type',
] as const;
const writtenShape = Object.fromEntries(WRITTEN.map((name) => [name, z.string().optional()]));

const summaryShape = z.object({
  recipients: z.string(),
  sender: z.string(),
  from: z.string(),
  subject: z.string(),
});
const linkShape = z.object({ name: z.string(), size: z.int(), 'content-type': z.string(), url: z.string() });
/** Whichever of the two was asked for; the header's fields stand beside it under the names that they are written with. */
export const storedShape = summaryShape.extend({
  'X-Mailgun-Tag': z.string().optional(),
  'X-Mailgun-Template-Name': z.string().optional(),
  'X-Mailgun-Template-Variables': z.string().optional(),
  'body-plain': z.string().optional(),
  'body-html': z.string().optional(),
  'stripped-text': z.string().optional(),
  'stripped-html': z.string().optional(),
  'stripped-signature': z.string().optional(),
  'message-headers': z.array(z.tuple([z.string(), z.string()])).optional(),
  attachments: z.array(linkShape).optional(),
  'content-id-map': z.record(z.string(), linkShape).optional(),
  'body-mime': z.string().optional(),
  ...writtenShape,
});

/** A stored message's answer; attachments are reached below `url`. */
export interface Shown {
  readonly envelopes: Envelopes;
  readonly url: string;
}

/** `GET`: the parsed message (mailgun-api §2), under lower-case and written names, because SDKs read the one or the other. */
export function parsedView(raw: Buffer, { envelopes, url }: Shown): Answer<typeof storedShape> {
  const view = viewMail(raw);
  const { text, signature } = stripText(view.plain);
  const links = view.attachments.map((attachment, index) => ({
    ...link(attachment, index),
    url: `${url}/attachments/${index}`,
  }));
  return {
    ...summary(view, envelopes),
    ...Object.fromEntries(WRITTEN.map((name) => [name, headerOf(view, name)])),
    ...(envelopes.tags.length > 0 ? { 'X-Mailgun-Tag': envelopes.tags.join(', ') } : {}),
    ...(envelopes.template
      ? {
          'X-Mailgun-Template-Name': envelopes.template.name,
          'X-Mailgun-Template-Variables': JSON.stringify(envelopes.template.variables),
        }
      : {}),
    'body-plain': view.plain,
    'body-html': view.html,
    'stripped-text': text,
    'stripped-html': view.html,
    'stripped-signature': signature,
    'message-headers': view.headers,
    attachments: links,
    'content-id-map': Object.fromEntries(
      view.attachments.flatMap(({ contentId }, index) => {
        const [shown] = links.slice(index, index + 1);
        return contentId === '' || !shown ? [] : [[`<${contentId}>`, shown]];
      }),
    ),
  };
}

/** The same with `Accept: message/rfc2822`: the message as it was accepted, in JSON. */
export function rawView(raw: Buffer, { envelopes }: Shown): Answer<typeof storedShape> {
  return {
    ...summary(viewMail(raw), envelopes),
    // Octets that are no UTF-8 stand for themselves (ISO 8859-1), so that none is lost.
    'body-mime': raw.toString(isUtf8(raw) ? 'utf8' : 'latin1'),
  };
}

export interface ShownAttachment {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** The attachment's octets, for saving: nothing in it is to be run where it comes from. */
export function attachmentView(raw: Buffer, index: number): ShownAttachment | undefined {
  const attachment = viewMail(raw).attachments[index];
  if (!attachment) return undefined;
  const name = encodeURIComponent(attachment.filename || 'attachment').replace(/['()*]/g, percent);
  return {
    content: attachment.content(),
    headers: {
      'content-type': contentType(attachment),
      // RFC 6266, RFC 8187
      'content-disposition': `attachment; filename*=UTF-8''${name}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    },
  };
}

function summary(view: MailView, { recipients }: Envelopes): z.infer<typeof summaryShape> {
  return {
    recipients: recipients.join(', '),
    sender: view.from[0]?.address ?? '',
    from: headerOf(view, 'From'),
    subject: headerOf(view, 'Subject'),
  };
}

function link(attachment: ViewedAttachment, index: number): { name: string; size: number; 'content-type': string } {
  return {
    name: attachment.filename || `attachment-${index}`,
    size: attachment.content().length,
    'content-type': contentType(attachment),
  };
}

/** A part may claim anything: what is no media type (RFC 6838 §4.2) is octets. */
const contentType = ({ contentType: type }: ViewedAttachment): string =>
  /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(type) ? type : 'application/octet-stream';

function headerOf({ headers }: MailView, wanted: string): string {
  const lower = wanted.toLowerCase();
  return headers.find(([name]) => name.toLowerCase() === lower)?.[1] ?? '';
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
