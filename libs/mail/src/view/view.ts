import { readHeaderAddresses } from '../address/address-list.ts';
import type { Mailbox } from '../address/address.ts';
import { headerFields, rawValue, splitMessage } from '../message/header.ts';
import { decodeCharset, decodeOctets } from '../mime/decode.ts';
import { isAttachment } from '../mime/content.ts';
import { scanParts, type Attachment } from '../mime/parts.ts';
import { DEFAULT_SCAN_LIMITS } from '../mime/scan.ts';
import { bytesToText, decodeText } from '../mime/text.ts';

/** A message as people see it. */
export interface MailView {
  /** The fields of its header in order, names as written, values decoded (RFC 2047) and unfolded. */
  headers: (readonly [name: string, value: string])[];
  /** Whom it is from; empty where its From cannot be read. */
  from: Mailbox[];
  /** The message's own text, without what is attached; '' where there is none. Several such parts follow each other. */
  plain: string;
  html: string;
  attachments: ViewedAttachment[];
}

export interface ViewedAttachment extends Pick<Attachment, 'filename' | 'contentType' | 'inline' | 'contentId'> {
  /** Decoded when it is asked for, because an attachment may be nearly as large as the message. */
  content(): Buffer;
}

/** Of one field: longer ones are cut. */
const MAX_VALUE_BYTES = 16 * 1024;

/**
 * Reads a message that was taken in (CRLF, within `DEFAULT_SCAN_LIMITS`) for showing it. Attachments are those that `scanMime`
 * finds, in its order; their octets stay where they are in `raw`.
 */
export function viewMail(raw: Buffer): MailView {
  const { header, body } = splitMessage(raw);
  const fields = headerFields(header);
  const attachments: ViewedAttachment[] = [];
  const texts: Record<'text/plain' | 'text/html', string[]> = { 'text/plain': [], 'text/html': [] };
  scanParts(raw, { header, fields, bodyStart: raw.length - body.length }, DEFAULT_SCAN_LIMITS, {
    leaf: ({ content, body: octets, attachedIn }) => {
      if (attachedIn > 0 || isAttachment(content)) return;
      if (content.type !== 'text/plain' && content.type !== 'text/html') return;
      texts[content.type].push(decodeCharset(decodeOctets(octets, content.encoding), content.charset).toWellFormed());
    },
    attached: ({ filename, contentType, inline, contentId }, { body: octets, encoding }) =>
      attachments.push({
        filename,
        contentType,
        inline,
        contentId,
        content: () => decodeOctets(octets, encoding),
      }),
  });
  const from = fields.find(({ name }) => name === 'from');
  return {
    headers: fields.flatMap((field) => {
      const { name, start } = field;
      if (name === '') return [];
      const written = header.toString('latin1', start, start + name.length);
      return [[written, decodeText(rawValue(header, field).slice(0, MAX_VALUE_BYTES))] as const];
    }),
    from: from ? readHeaderAddresses(bytesToText(rawValue(header, from).slice(0, MAX_VALUE_BYTES))) : [],
    plain: texts['text/plain'].join('\r\n'),
    html: texts['text/html'].join('\r\n'),
    attachments,
  };
}
