import { removeHeaders } from '../message/edit.ts';
import { splitMessage } from '../message/header.ts';
import { accept, type Result } from '../refusal.ts';
import { viewMail } from '../view/view.ts';
import { composeBody } from './compose.ts';

/** What says how a body is to be read goes with it. */
const OF_THE_BODY = ['content-*', 'mime-version'];

/**
 * A message with other texts in place of its own. Its header stays as it is, and so does what is attached: parts with a Content-ID
 * stand beside the HTML, where it finds them. `raw` has CRLF line ends.
 */
export function replaceTexts(raw: Buffer, texts: { text?: string; html: string }): Result<Buffer> {
  const files = viewMail(raw).attachments.map((attachment) => ({
    filename: attachment.filename,
    contentType: attachment.contentType,
    content: attachment.content(),
    ...(attachment.contentId === '' ? {} : { contentId: attachment.contentId }),
  }));
  const body = composeBody({
    ...texts,
    inline: files.filter(({ contentId }) => contentId !== undefined),
    attachments: files.filter(({ contentId }) => contentId === undefined),
  });
  if (!body.ok) return body;
  const { header } = splitMessage(removeHeaders(raw, OF_THE_BODY));
  const before = Buffer.from(`MIME-Version: 1.0\r\n${body.value.header}\r\n`, 'utf8');
  const end = body.value.content.at(-1) === 0x0a ? '' : '\r\n';
  return accept(Buffer.concat([header, before, body.value.content, Buffer.from(end)]));
}
