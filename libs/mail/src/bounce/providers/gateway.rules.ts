import type { BounceReason } from '../reasons.ts';
import type { Rule } from '../rules/rule.ts';

/** [reason, sentences, reply code they come with]. */
type Row = readonly [BounceReason, string, number?];

const provided = (provider: readonly string[], rows: readonly Row[]): Rule[] =>
  rows.map(([reason, says, code]) => ({
    reason,
    provider,
    says,
    ...(code === undefined ? {} : { replyCode: [code] }),
  }));

const MESSAGELABS = ['messagelabs.com'];
const MIMECAST = ['mimecast.com'];
const GODADDY = ['secureserver.net'];
const CLOUDFLARE = ['mx.cloudflare.net'];
const ZOHO = ['zoho.com', 'zoho.eu', 'zoho.in', 'zohomail.com'];

/** GoDaddy's numbers: https://www.godaddy.com/help/fix-rejected-email-with-a-bounce-error-40685. */
const IB: readonly (readonly [BounceReason, string])[] = [
  ['security', 'ib401'],
  ['malformed', 'ib501 | ib502'],
  ['sender-refused', 'ib506'],
  ['unauthenticated', 'ib508'],
  ['no-reverse-dns', 'ib108'],
  ['spam', 'ib212'],
  ['virus', 'ib705'],
  ['rate-limited', 'ib605 | ib007'],
  ['too-fast', 'ib101 | ib504 | ib510 | ib607'],
  ['blocked', 'ib110 | ib111 | ib112 | ib113 | ib104 | ib105 | ib106'],
  ['reputation', 'ib103'],
];

/**
 * Filters in front of other people's mailboxes, and hosters. Each publishes its sentences; the selection follows sisimai (BSD
 * 2-Clause, see NOTICE).
 */
export const GATEWAY_RULES: readonly Rule[] = [
  ...provided(MESSAGELABS, [
    ['unauthenticated', 'domain authentication fail'],
    ['reputation', 'connection rejected by policy'],
    ['blocked', 'mail rejected because your ip is in the pbl | your ip address has been'],
    ['content', 'stray linefeeds in message'],
    ['tls', 'tls sslv3 connection required'],
    ['relaying-denied', 'as a relay'],
    ['malformed', 'requested action aborted 4 | has detected that this message is not rfc 5322'],
    [
      'sender-refused',
      `sender envelope domain not allowed for sender ip address | your domain has been blocked
        | your email address has been blocked | your envelope sender is in my badmailfrom list
        | your email address has been blacklisted | your domain has been blacklisted`,
    ],
    ['security', 'please turn on smtp authentication in your mail client'],
    ['spam', 'message filtered | filtered by outbound scanning'],
    ['rate-limited', 'too many recipients received this hour | too many messages'],
    ['unknown-user', 'no such user | invalid recipient | mailbox is not allowed'],
    ['unknown-user', 'someone rejected | rejected', 542],
  ]),
  ...provided(MIMECAST, [
    [
      'unauthenticated',
      'spf sender invalid envelope rejected | dkim sender invalid envelope rejected | dmarc sender invalid envelope rejected',
      550,
    ],
    ['reputation', 'internal resources are temporarily unavailable', 451],
    ['reputation', 'local ct ip reputation', 550],
    ['blocked', 'sender address blocked', 421],
    ['blocked', 'recipient temporarily unavailable | ip temporarily blacklisted', 451],
    ['expired', 'journal messages past the expiration', 550],
    [
      'tls',
      `this route requires encryption tls | this route requires tls version 1 2 or greater
        | this route requires high strength ciphers`,
      553,
    ],
    ['tls', 'configuration is invalid for this certificate', 554],
    ['too-large', 'maximum email size exceeded', 554],
    ['network', 'the incorrect hostname used for inbounds'],
    ['loop', 'mail loop detected', 554],
    ['relaying-denied', 'open relay not allowed | open relay is not allowed', 451],
    ['takes-no-mail', 'account inbounds disabled', 451],
    [
      'policy',
      `anti spoofing policy inbound not allowed | rejected by header based anti spoofing policy
        | message bounced due to content examination policy`,
      550,
    ],
    ['policy', 'host network not allowed', 554],
    [
      'sender-refused',
      `administrative prohibition envelope blocked | envelope blocked user entry | envelope blocked user domain entry
        | rejected by header based manually blocked senders block for manual block
        | rejected by header based blocked senders block policy for header from
        | envelope rejected block policy for envelope from address`,
      550,
    ],
    ['security', 'incorrect authentication data', 535],
    ['security', 'submitter failed to disabled | submitter failed to authenticate', 550],
    [
      'system',
      `unable to process connection at this time | message ended early | unable to process command
        | unable to process an email at this time`,
      451,
    ],
    ['rate-limited', 'account service is temporarily unavailable', 451],
    ['rate-limited', 'too many recipients', 452],
    ['rate-limited', 'exceeding outbound thread limit', 550],
    ['unknown-user', 'invalid address', 501],
    ['unknown-user', 'user unknown', 503],
    ['unknown-user', 'invalid recipient', 550],
    ['virus', 'email rejected due to security policies', 554],
  ]),
  ...provided(GODADDY, IB),
  ...provided(GODADDY, [
    ['blocked', 'rbl reject | www spamhaus org query bl ip'],
    ['expired', 'has been in the queue too long | delivery timeout'],
    ['mailbox-full', 'account storage limit'],
    ['spam', 'message rejected for spam or virus content'],
    ['disabled', 'account disabled'],
    ['system', 'message is looping'],
    ['unknown-user', 'recipient not found | account does not exist'],
  ]),
  ...provided(CLOUDFLARE, [
    ['listed', 'found on one or more dnsbls'],
    ['system', 'upstream error'],
  ]),
  ...provided(ZOHO, [
    ['unauthenticated', 'email rejected per dmarc policy'],
    ['greylisted', 'greylisted try again after some time'],
    ['sender-refused', 'email cannot be delivered reason email flagged as spam | mail rejected by destination domain'],
    ['policy', 'email policy violation detected | mailbox delivery restricted by policy error'],
    ['system', 'temporary system error'],
    ['unknown-user', 'user does not exist'],
    ['virus', 'detected by zoho mail'],
  ]),
];
