import { decodeText, headerFields, rawValue, splitMessage } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import { z } from 'zod';

/** Mailgun's header for what a form calls otherwise (mailgun-api §2). Any other `X-Mailgun-*` says nothing to us. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['X-Mailgun-Tag', 'o:tag'],
  ['X-Mailgun-Dkim', 'o:dkim'],
  ['X-Mailgun-Deliver-By', 'o:deliverytime'],
  ['X-Mailgun-Drop-Message', 'o:testmode'],
  ['X-Mailgun-Track', 'o:tracking'],
  ['X-Mailgun-Track-Clicks', 'o:tracking-clicks'],
  ['X-Mailgun-Track-Opens', 'o:tracking-opens'],
  ['X-Mailgun-Require-TLS', 'o:require-tls'],
  ['X-Mailgun-Skip-Verification', 'o:skip-verification'],
  ['X-Mailgun-Sending-Ip', 'o:sending-ip'],
  ['X-Mailgun-Sending-Ip-Pool', 'o:sending-ip-pool'],
  ['X-Mailgun-Delivery-Time-Optimize-Period', 'o:deliverytime-optimize-period'],
  ['X-Mailgun-Time-Zone-Localize', 'o:time-zone-localize'],
  ['X-Mailgun-Recipient-Variables', 'recipient-variables'],
  ['X-Mailgun-Template-Name', 'template'],
  ['X-Mailgun-Template-Version', 't:version'],
  ['X-Mailgun-Template-Variables', 't:variables'],
]);
const VARIABLES = 'X-Mailgun-Variables';

const NAMES = new Map([...OPTIONS].map(([header, field]) => [header.toLowerCase(), field]));
const HEADERS = new Map([...OPTIONS].map(([header, field]) => [field, header]));

/**
 * The options of a message that came by SMTP, as the fields a form would have. They stay in the message here: whoever takes a
 * raw message removes them. `message` has CRLF line ends.
 * @throws ApiError 400 naming the header.
 */
export function optionFields(message: Buffer): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  const add = (name: string, value: string): void => void fields.set(name, [...(fields.get(name) ?? []), value]);
  const { header } = splitMessage(message);
  for (const field of headerFields(header)) {
    if (!field.name.startsWith('x-mailgun-')) continue;
    const name = NAMES.get(field.name);
    const isVariables = field.name === VARIABLES.toLowerCase();
    if (name === undefined && !isVariables) continue;
    const value = decodeText(rawValue(header, field));
    if (name !== undefined) add(name, value);
    else for (const [key, text] of Object.entries(readVariables(value))) add(`v:${key}`, text);
  }
  return fields;
}

/** A refusal of an option in the client's words: it sent a header. */
export const inHeaders = (text: string): string =>
  text.replace(/'([a-z:-]+)'/g, (whole, name: string) => {
    const header = name === 'v:' ? VARIABLES : HEADERS.get(name);
    return header === undefined ? whole : `'${header}'`;
  });

function readVariables(json: string): Record<string, string> {
  try {
    const values = z.record(z.string(), z.json()).parse(JSON.parse(json));
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
  } catch {
    throw new ApiError(400, `'${VARIABLES}' must be a JSON object`, { field: VARIABLES });
  }
}
