import { linksIn } from '../merge/placeholders.ts';
import { decodeText } from '../mime/text.ts';
import { headerFields, rawValue, splitMessage } from './header.ts';

/** Whether the sender's own List-Unsubscribe asks for the platform's link (`<%unsubscribe_url%>`). */
export function asksToUnsubscribe(raw: Buffer): boolean {
  const { header } = splitMessage(raw);
  return headerFields(header).some(
    (field) => field.name === 'list-unsubscribe' && linksIn(decodeText(rawValue(header, field))) > 0,
  );
}

/**
 * The lines by which a message can be unsubscribed from with one click (RFC 8058 §3.1), as far as it lacks them. A sender's own
 * List-Unsubscribe stays; only where it has our link, we can say that one click is enough.
 */
export function unsubscribeLines(header: Buffer, url: string): Buffer {
  const fields = headerFields(header);
  const own = fields.filter(({ name }) => name === 'list-unsubscribe').map((field) => rawValue(header, field));
  const lines: string[] = [];
  if (own.length === 0) lines.push(`List-Unsubscribe:\r\n <${url}>\r\n`);
  const isOurs = own.length === 0 || own.some((value) => value.includes(url));
  if (isOurs && !fields.some(({ name }) => name === 'list-unsubscribe-post')) {
    lines.push('List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
  }
  return Buffer.from(lines.join(''));
}
