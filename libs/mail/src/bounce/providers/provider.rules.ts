import type { BounceReason } from '../reasons.ts';
import type { Rule } from '../rules/rule.ts';

type Row = readonly [BounceReason, string];

const provided = (provider: readonly string[], rows: readonly Row[]): Rule[] =>
  rows.map(([reason, says]) => ({ reason, provider, says }));

const AOL = ['aol.com'];
const APPLE = ['icloud.com', 'me.com', 'mac.com', 'apple.com'];
const COX = ['cox.net'];
const DOCOMO = ['docomo.ne.jp'];
const FACEBOOK = ['facebook.com'];
const KDDI = ['ezweb.ne.jp', 'au.com'];
const ORANGE = ['orange.fr', 'wanadoo.fr', 'laposte.net'];
const SPECTRUM = ['charter.net'];
const TENCENT = ['qq.com'];
const YAHOO = ['yahoodns.net'];

/** Orange and La Poste hang a number behind a prefix: OFR_416, LPN007_505. */
const ofr = (numbers: string) => new RegExp(` (?:ofr|lpn|lpnaaa|ouk)\\d{0,3} ?(?:${numbers}) `);
/** Charter's AUP#In-1300 or AUP#Out-1020. */
const aup = (numbers: string) => new RegExp(` aup [a-z]{1,3} ?(?:${numbers}) `);
/** I.UA's pages about its errors: mail.i.ua/err/2/. */
const iua = (numbers: string) => new RegExp(` i ua err (?:${numbers}) `);

const OFR: readonly (readonly [BounceReason, string])[] = [
  ['blocked', '101|102|103|510|999'],
  ['rate-limited', '104'],
  ['security', '305|402'],
  ['unauthenticated', '401|517'],
  ['sender-refused', '403|405|415|421'],
  ['unknown-user', '416|418'],
  ['mailbox-full', '417'],
  ['disabled', '420|426'],
  ['system', '505'],
  ['spam', '506'],
  ['too-large', '514'],
  ['policy', '630'],
];

const AUP: readonly (readonly [BounceReason, string])[] = [
  ['blocked', '1000|12[0-5]0'],
  ['sender-refused', '10[1-8]0|1500|1520'],
  ['system', '1090'],
  ['no-reverse-dns', '11[0-5]0'],
  ['policy', '11[6-9]0|1560'],
  ['network', '1260'],
  ['rate-limited', '13[0-4]0'],
  ['too-fast', '13[5-9]0|14[0-9]0|1540|1550|1580'],
  ['too-large', '1530'],
];

const IUA: readonly (readonly [BounceReason, string])[] = [
  ['relaying-denied', '1|6'],
  ['unknown-user', '2'],
  ['disabled', '3'],
  ['mailbox-full', '4'],
  ['rate-limited', '5'],
  ['blocked', '7|9'],
  ['sender-refused', '8'],
  ['filtered', '10'],
];

/**
 * Mailbox providers. Most publish their sentences and numbers on pages for postmasters; the selection follows sisimai (BSD
 * 2-Clause, see NOTICE).
 */
export const PROVIDER_RULES: readonly Rule[] = [
  ...provided(AOL, [
    ['unknown-host', 'host or domain name not found'],
    ['takes-no-mail', 'type mx malformed or unexpected name server reply'],
  ]),
  ...provided(APPLE, [
    ['unauthenticated', 's dmarc policy | dmarc policy | blocked for failing both spf and dkim'],
    [
      'blocked',
      `rejected due to having a domain present in the spamhaus | rejected due to listing in spamhaus
        | blocked see https support proofpoint com dnsbl lookup | not accepting connections`,
    ],
    ['moved', 'recipient no longer on server'],
    ['mailbox-full', 'user is over quota'],
    ['relaying-denied', 'relay access denied'],
    ['takes-no-mail', 'host domain does not accept mail'],
    ['policy', 'due to local policy'],
    ['sender-refused', 'sender address rejected'],
    ['too-fast', 'due to excessive volume'],
    ['unknown-user', 'inactive email address | user does not exist | unknown or illegal alias'],
  ]),
  ...provided(COX, [
    ['blocked', 'cxbl | cdrbl'],
    ['no-reverse-dns', 'cxdns'],
    ['unauthenticated', 'cxsndr'],
    ['sender-refused', 'cxsmtp'],
    ['rate-limited', 'cxcnct | cxmxrt'],
    ['security', 'cxthrt | cxmj'],
  ]),
  { reason: 'blocked', provider: COX, code: / ipbl[01]{4,5} / },
  { reason: 'spam', provider: COX, code: / urlbl[01]{3,4} / },
  ...provided(COX, [
    ['blocked', 'cox too many bad commands from | too many invalid recipients'],
    ['no-reverse-dns', 'dns check failure try again later | rejected no rdns'],
    ['policy', 'esmtp no data before greeting | attachment extension is forbidden'],
    ['sender-refused', 'sender rejected'],
    ['system', 'esmtp server temporarily not available'],
    ['rate-limited', 'too many sessions from | requested action aborted try again later | message threshold exceeded'],
    ['unknown-user', 'recipient rejected'],
  ]),
  // NTT docomo's filter has answered "unknown user" as well, with 5.2.0; since March 2025 it takes what it filters.
  { reason: 'unknown-user', provider: DOCOMO, status: ['1.1'], passing: false },
  { reason: 'filtered', provider: DOCOMO, status: ['2.0'], passing: false },
  { reason: 'unknown-user', provider: DOCOMO, replyCode: [550], says: 'unknown user' },
  { reason: 'mailbox-full', provider: DOCOMO, replyCode: [552], says: 'too much mail data' },
  {
    reason: 'protocol',
    provider: DOCOMO,
    replyCode: [503, 504],
    says: 'bad sequence of commands | command parameter not implemented',
  },
  { reason: 'rate-limited', provider: DOCOMO, replyCode: [552], says: 'too many recipients' },
  { reason: 'unknown-user', provider: DOCOMO, status: ['0.0'], passing: false, at: ['RCPT'] },
  { reason: 'sender-refused', provider: DOCOMO, status: ['0.0'], passing: false, at: ['DATA'] },
  ...provided(FACEBOOK, [
    ['unauthenticated', 'aut p1 | aut p2 | pol p7'],
    ['blocked', 'pol p1 | pol p2 | pol p3 | pol p4 | pol t1 | pol t2 | pol t3 | blk p1 | blk p2'],
    ['content', 'msg p2'],
    ['filtered', 'rcp p2 | rcp p3'],
    ['too-large', 'msg p1 | int p2'],
    ['malformed', 'msg p3'],
    ['sender-refused', 'dns p1 | dns p2 | dns t1'],
    ['no-reverse-dns', 'dns p3 | dns t2'],
    ['spam', 'pol p6 | blk p3'],
    ['disabled', 'rcp t4'],
    ['system', 'rcp t1'],
    ['rate-limited', 'con t1 | con t2 | con t3 | con t4 | msg t1'],
    ['unknown-user', 'rcp p1 | int p1 | int p3 | int p4'],
    ['virus', 'pol p5'],
  ]),
  // KDDI (au) names the address when it refuses it, whether or not a report says where; its filter does not.
  { reason: 'unknown-user', provider: KDDI, says: 'someone user unknown', weak: true },
  { reason: 'filtered', provider: KDDI, replyCode: [550], notAt: ['RCPT'], says: 'user unknown' },
  ...OFR.map(([reason, numbers]): Rule => ({ reason, provider: ORANGE, code: ofr(numbers) })),
  { reason: 'unauthenticated', provider: ORANGE, says: 'spf dns de votre nom de domaine' },
  ...AUP.map(([reason, numbers]): Rule => ({ reason, provider: SPECTRUM, code: aup(numbers) })),
  ...IUA.map(([reason, numbers]): Rule => ({ reason, code: iua(numbers) })),
  ...provided(TENCENT, [
    ['unauthenticated', 'spf check failed | dmarc check failed'],
    ['blocked', 'suspected bounce attacks | suspected spam ip | connection denied'],
    ['too-large', 'message too large'],
    ['sender-refused', 'suspected spam | mail is rejected by recipients'],
    ['spam', 'spam is embedded in the email | mail content denied'],
    ['too-fast', 'mailbox unavailable or access denined | frequency of receiving messages is limited'],
    ['disabled', 'is a deactivated mailbox'],
    ['protocol', 'bad address syntax'],
    [
      'rate-limited',
      `ip frequency limited | domain frequency limited | sender frequency limited | connection frequency limited`,
    ],
    ['unknown-user', 'mailbox not found'],
  ]),
  ...provided(YAHOO, [
    ['unauthenticated', 'yahoo requires all senders to authenticate with either spf or dkim'],
    ['listed', 'because the ip is in spamhauss list | not accepted from ip addresses on spamhaus xbl'],
    ['relaying-denied', 'relaying denied for'],
    ['malformed', 'headers are not rfc compliant'],
    ['policy', 'not accepted for policy reasons'],
    [
      'sender-refused',
      `temporarily deferred due to unexpected volume or user complaints | due to unresolvable rfc 5321 domain
        | will be permanently deferred`,
    ],
    ['too-fast', 'user is receiving mail too quickly'],
    ['disabled', 'is no longer valid | this mailbox is disabled'],
    ['protocol', 'syntax error in parameters or arguments'],
    ['rate-limited', 'max message per connection reached'],
    ['unknown-user', 'dd this user doesnt have a | mailbox not found'],
  ]),
  // Older codes of AOL, which other people's relays still quote.
  { reason: 'spam', says: 'hvu b1 | hvu b2' },
  { reason: 'blocked', says: 'rly b1 | rly b2 | rly b3 | rly bd | rly ch | rtr bb | rtr bl | dynrbl' },
  { reason: 'no-reverse-dns', says: 'dns nr' },
];
