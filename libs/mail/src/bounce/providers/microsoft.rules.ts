import type { BounceReason } from '../reasons.ts';
import type { Rule } from '../rules/rule.ts';

const EXCHANGE = ['outlook.com', 'onmicrosoft.com', 'exchangelabs.com'];

/** Details of a status from one number to another, of subject `7`, say. */
const range = (subject: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `${subject}.${from + n}`);

/** [reason, details of the status, the sentence that comes with them, class if it matters]. */
type Row = readonly [BounceReason, string | readonly string[], string, ('4' | '5')?];

const ROWS: readonly Row[] = [
  ['unauthenticated', '7.26', 'must pass either spf or dkim validation this message is not signed', '4'],
  ['unauthenticated', '7.23', 'the message was rejected because of sender policy framework violation'],
  ['unauthenticated', '7.509', 'does not pass dmarc verification'],
  ['unauthenticated', '7.515', 'doesnt meet the required authentication level'],
  ['reputation', '7.650', 'has been temporarily rate limited due to ip reputation'],
  ['blocked', '4.2', 'connection dropped', '4'],
  ['system', '7.500', 'server busy please try again later from', '4'],
  ['blocked', [...range(7, 850, 899), ...range(7, 500, 699)], 'access denied please try again later', '4'],
  ['blocked', '7.25', 'must have a reverse dns record'],
  ['blocked', '7.506', 'access denied bad helo'],
  ['blocked', '7.507', 'access denied rejected by recipient'],
  ['blocked', '7.510', 'does not accept email over ipv6'],
  ['blocked', '7.511', 'access denied banned sender'],
  ['blocked', '7.513', 'using customer block list'],
  ['blocked', range(7, 606, 649), 'access denied banned sending ip'],
  ['blocked', '5.4', 'invalid domain name'],
  ['blocked', '7.1', 'part of their network is on our block list'],
  ['content', '3.0', 'too many related errors'],
  ['content', '6.11', 'invalid characters'],
  ['content', '4.11', 'agent generated message depth exceeded'],
  ['content', '5.6', 'invalid message content'],
  ['too-large-for-recipient', '2.3', 'resolver rst recipsizelimit'],
  ['too-large', '3.4', 'message size exceeds fixed maximum message size | message too big for system'],
  ['expired', '4.1', 'connection timed out', '4'],
  ['expired', '4.7', 'message delayed | queue expired | message expired', '4'],
  ['expired', ['4.300', '4.316'], 'message expired', '5'],
  ['tls', '4.8', 'failed mta sts validation'],
  ['tls', '4.317', 'starttls is required to send mail'],
  ['tls', '7.5', 'remote certificate failed mta sts validation'],
  ['tls', '7.51', 'restrictdomainstoipaddresses or restrictdomainstocertificate'],
  ['tls', '7.321', 'starttls not supported'],
  ['tls', '7.322', 'certificate expired'],
  ['tls', '7.323', 'tlsa invalid'],
  ['tls', '7.324', 'dnssec invalid'],
  ['tls', '7.325', 'certificate host mismatch'],
  ['mailbox-full', '2.2', 'mailbox full'],
  ['network', '4.4', 'smtpsend dns nonexistentdomain', '5'],
  ['loop', '4.6', 'hop count exceeded possible mail loop | routing loop detected'],
  ['loop', '4.14', 'routing loop detected | hop count exceeded'],
  ['dns', '4.312', 'dns query failed'],
  ['network', '4.316', 'connection refused'],
  ['network', '4.4', 'invalid arguments', '5'],
  ['relaying-denied', '7.1', 'unable to relay'],
  ['relaying-denied', '4.1', 'relay access denied'],
  ['relaying-denied', '7.64', 'tenantattribution relay access denied'],
  ['relaying-denied', '4.310', 'does not exist'],
  ['takes-no-mail', '3.2', 'system not accepting network messages', '4'],
  ['takes-no-mail', '4.4', 'hosted tenant which has no mail enabled subscriptions', '4'],
  ['takes-no-mail', '3.2', 'storedrv deliver missing or bad storedriver mdb properties', '5'],
  ['policy', '0.350', 'x dg ref header is too long | requested action not taken policy violation detected as345'],
  ['policy', range(7, 900, 999), 'delivery not authorized message refused'],
  ['sender-refused', '1.7', 'invalid address | unknown sender address'],
  ['sender-refused', '1.0', 'sender denied'],
  ['sender-refused', '1.8', 'access denied bad outbound sender'],
  ['sender-refused', '7.1', 'delivery not authorized'],
  ['sender-refused', '7.12', 'sender was not authenticated by organization'],
  ['sender-refused', '7.124', 'sender not in allowed senders list'],
  ['sender-refused', '7.133', 'sender not authenticated for group'],
  ['sender-refused', '7.134', 'sender was not authenticated for mailbox'],
  ['sender-refused', ['7.13', '7.135'], 'sender was not authenticated for public folder'],
  ['sender-refused', '7.136', 'sender was not authenticated'],
  ['sender-refused', range(7, 501, 503), 'access denied spam abuse detected | access denied banned sender'],
  ['sender-refused', '7.512', 'access denied message must be rfc 5322 section 3 6 2 compliant'],
  ['sender-refused', '7.750', 'client blocked from sending from unregistered domains'],
  ['security', '7.3', 'cannot achieve exchange server authentication | not authorized'],
  ['security', '7.1', 'client was not authenticated'],
  ['security', '7.57', 'client was not authenticated to send anonymous mail during mail from'],
  ['spam', '2.1', 'content filter agent quarantined this message'],
  ['rate-limited', '5.3', 'too many recipients'],
  ['rate-limited', '3.2', 'storedrv deliver recipient thread limit exceeded', '4'],
  ['rate-limited', '7.652', 'has exceeded the maximum number of connections', '4'],
  ['rate-limited', '1.90', 'reached your daily limit for message recipients'],
  ['rate-limited', '2.2', 'submission quota exceeded'],
  ['too-fast', ['2.121', '2.122'], 'recipients per hour message receive limit'],
  ['too-fast', '2.122', 'the recipient has exceeded their limit for'],
  ['rate-limited', '7.508', 'has exceeded permitted limits within'],
  ['rate-limited', range(7, 700, 749), 'tenant has exceeded threshold | traffic not accepted from this ip'],
  ['disabled', '7.504', 'recipient address rejected access denied'],
  ['disabled', '7.505', 'access denied banned recipient'],
  ['disabled', '2.1', 'mailbox cannot be accessed'],
  ['protocol', '3.3', 'unrecognized command'],
  ['protocol', '5.2', 'send hello first'],
  ['system', '3.2', 'service not available | service not active', '4'],
  ['system', '3.5', 'system incorrectly configured'],
  ['system', '3.190', 'when journaling archive is disabled'],
  ['system', '0.0', 'helo ehlo requires domain address'],
  ['system', '1.4', 'destination mailbox address ambiguous'],
  ['system', '2.4', 'mailing list expansion problem'],
  ['system', '2.14', 'misconfigured forwarding address'],
  ['system', range(4, 22, 28), 'message failed to be replicated', '4'],
  ['system', '4.3', 'temporary server error please try again later'],
  ['system', '7.0', 'temporary server error please try again later prx4'],
  ['system', '4.318', 'suspiciousremoteservererror'],
  ['system', '7.700', 'pfa agent busy please try again', '4'],
  ['system-full', '3.1', 'insufficient system resources', '4'],
  ['unknown-user', '1.1', `resolver adr exrecipnotfound not found | user unknown | bad destination mailbox address`],
  ['unknown-user', '1.3', 'storedrv submit invalid recipient address'],
  ['unknown-user', ['1.4', '1.5'], 'recipient address reserved by rfc 2606'],
  ['unknown-user', '1.6', 'recipient addresses in single label domains not accepted'],
  ['unknown-user', '1.10', 'recipient not found | recipientnotfound | recipnotfound'],
  ['unknown-user', '4.1', 'recipient address rejected access denied', '5'],
  ['unknown-user', '5.0', 'requested action not taken mailbox unavailable'],
  ['unknown-user', '1.2', 'invalid x 400 address'],
  ['unknown-user', '1.351', 'remote server returned unknown recipient or mailbox unavailable'],
];

const WEAK = new Set(['4.1', '5.0', '1.351']);

const TROUBLE: readonly (readonly [BounceReason, string])[] = [
  ['reputation', 'rp 001 | rp 002 | rp 003 | sc 001 | ou 002'],
  ['policy', 'sc 002'],
  ['blocked', 'sc 003 | sc 004 | dy 001 | ou 001'],
  ['virus', 'dy 002'],
];

/**
 * Exchange, Exchange Online and Outlook.com, which publish the statuses they use and the sentences that go with them:
 * https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online. The selection follows
 * sisimai (BSD 2-Clause, see NOTICE).
 */
export const MICROSOFT_RULES: readonly Rule[] = [
  ...ROWS.map(([reason, status, says, its]): Rule => ({
    reason,
    provider: EXCHANGE,
    status: typeof status === 'string' ? [status] : status,
    says,
    ...(its === undefined ? {} : { passing: its === '4' }),
    ...(reason === 'unknown-user' && typeof status === 'string' && WEAK.has(status) ? { weak: true } : {}),
  })),
  ...TROUBLE.map(([reason, says]): Rule => ({ reason, provider: EXCHANGE, says })),
  // Hotmail's own.
  {
    reason: 'unknown-host',
    provider: ['hotmail.com'],
    says: 'the mail could not be delivered to the recipient because the domain is not reachable',
  },
  {
    reason: 'unknown-user',
    provider: ['hotmail.com'],
    says: 'requested action not taken mailbox unavailable',
    weak: true,
  },
];
