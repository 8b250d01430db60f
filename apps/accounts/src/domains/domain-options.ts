import { z } from 'zod';
import type { Domain } from './domain.entity.ts';
import { limit } from '../limits/limit.ts';
import { notYet, yesNo } from './form.ts';

const DAY = 86_400;
const refused = z.never('is not supported yet').optional();

/**
 * How delivery speaks to other servers, in force there for all mail of the domain, also for what waits already. `skip_verification`
 * lets any certificate do where `require_tls` asks for TLS; what recipients' domains ask for by DANE or MTA-STS it does not touch.
 */
export const connectionOptions = {
  require_tls: yesNo.optional(),
  skip_verification: yesNo.optional(),
};

/**
 * What can be chosen when a domain is made and later (mailgun-api §6). `wildcard` and `spam_action` are about mail that comes
 * in, and `web_…` about tracking links: they are kept and answered for the services that will act on them.
 */
export const domainOptions = {
  ...connectionOptions,
  web_scheme: z.enum(['http', 'https'], 'must be http or https').optional(),
  web_prefix: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i, 'must be one label of a domain name')
    .transform((prefix) => prefix.toLowerCase())
    .optional(),
  wildcard: yesNo.optional(),
  spam_action: z.enum(['disabled', 'block', 'tag'], 'must be disabled, block or tag').optional(),
  // How long a body can be read, in whole days, seven at most; 0: nobody reads it, and its key goes with its last recipient (design §7).
  message_ttl: z.coerce
    .string()
    // Nothing at all is no 0.
    .regex(/^\d{1,7}$/, 'must be a number of seconds')
    .transform(Number)
    .refine((seconds) => seconds % DAY === 0 && seconds >= 0 && seconds <= 7 * DAY, {
      message: 'must be whole days in seconds, from 0 to 604800',
    })
    .optional(),
  // How long delivery is tried, never past the life of the body; 0: as long as the platform says. Ours: Mailgun has a day for everybody.
  message_expiry: z.coerce
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of seconds')
    .transform(Number)
    .refine((seconds) => seconds === 0 || (seconds >= 300 && seconds <= 7 * DAY), {
      message: 'must be a number of seconds from 300 to 604800, or 0',
    })
    .optional(),
  // Of this platform alone: recipients in UTC, besides what the account may send.
  day_limit: limit.optional(),
  month_limit: limit.optional(),
  use_automatic_sender_security: notYet.optional(),
  encrypt_incoming_message: notYet.optional(),
  archive_to: refused,
  mailfrom_host: refused,
  dkim_host_name: refused,
};
const options = z.object(domainOptions);

/** What was chosen, as the domain's own fields; what was not sent is not there. */
export function chosen(given: z.infer<typeof options>): Partial<Domain> {
  const fields: Partial<Domain> = {};
  if (given.require_tls !== undefined) fields.requireTls = given.require_tls;
  if (given.skip_verification !== undefined) fields.skipVerification = given.skip_verification;
  if (given.web_scheme !== undefined) fields.webScheme = given.web_scheme;
  if (given.web_prefix !== undefined) fields.webPrefix = given.web_prefix;
  if (given.wildcard !== undefined) fields.wildcard = given.wildcard;
  if (given.spam_action !== undefined) fields.spamAction = given.spam_action;
  if (given.message_ttl !== undefined) {
    fields.bodiesDays = given.message_ttl / DAY;
    fields.ownBodiesDays = true;
  }
  if (given.message_expiry !== undefined) fields.expirySeconds = given.message_expiry || null;
  if (given.day_limit !== undefined) fields.dayLimit = given.day_limit;
  if (given.month_limit !== undefined) fields.monthLimit = given.month_limit;
  return fields;
}
