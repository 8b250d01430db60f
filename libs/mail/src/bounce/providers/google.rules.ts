import type { Rule } from '../rules/rule.ts';

/** [reason, sentence, details of the status it comes with where other ones mean something else]. */
type Row = readonly [Rule['reason'], string, ...string[]];

const provided = (provider: readonly string[], rows: readonly Row[]): Rule[] =>
  rows.map(([reason, says, ...status]) => ({ reason, provider, says, ...(status.length > 0 ? { status } : {}) }));

const GMAIL = ['l.google.com', 'google.com', 'gmail.com'];

/**
 * Gmail and Google Workspace: https://support.google.com/a/answer/3726730. The selection follows sisimai (BSD 2-Clause, see
 * NOTICE).
 */
export const GOOGLE_RULES: readonly Rule[] = [
  ...provided(GMAIL, [
    [
      'unauthenticated',
      `the spf record of the sending domain | senders to authenticate with either spf or dkim
        | fails to pass spf checks for an spf record with a hard fail | has an spf record with a hard fail policy
        | is not accepted due to domains dmarc policy | fails to pass authentication checks
        | senders to authenticate with spf | senders to authenticate their email with spf
        | senders to authenticate their email with dkim | senders to authenticate with dkim
        | aligned with either the authenticated spf or dkim | to add a dmarc record to`,
    ],
    [
      'reputation',
      `very low reputation of the sending ip address | very low reputation of the sending domain
        | due to the very low reputation of the sending`,
    ],
    [
      'blocked',
      `ip not in whitelist for rcpt domain | try again later closing connection | empty helo ehlo argument not allowed
        | helo ehlo argument is invalid | an unusual rate of unsolicited mail | an unusual rate of mail`,
    ],
    ['too-large-for-recipient', 'exceeded googles message size limits', '2.3'],
    [
      'too-large-for-recipient',
      `exceeds googles limit of | your message exceeded googles message header size limits
        | bytes per individual header size | exceeds googles header name limit of | exceeds googles message header size limit`,
    ],
    ['expired', 'connection expired', '7.0'],
    ['expired', 'timeout closing connection', '4.2'],
    [
      'tls',
      `must issue a starttls command first | starttls may not be repeated | tls required for rcpt domain
        | senders to use tls ssl for smtp`,
    ],
    ['mailbox-full', 'inbox is out of storage space | is over quota', '2.2'],
    ['mailbox-full', 'email quota exceeded', '7.1'],
    ['too-large', 'exceeded googles message size limits | exceeds googles message size limit of', '3.4'],
    ['network', 'message exceeded 50 hops'],
    [
      'relaying-denied',
      `mail relay denied | invalid credentials for relay | is not authorized to send email directly to our servers`,
    ],
    [
      'malformed',
      `missing a valid address in the from header | multiple addresses in from header are not accepted
        | is not rfc 5322 compliant | missing a valid message id header | missing a valid messageid header
        | contains a unicode character in a disallowed header | encoded word syntax is not permitted
        | mail message is malformed`,
    ],
    ['malformed', 'is not a valid rfc 5321 address', '1.7'],
    [
      'policy',
      `illegal attachment on your message | blocked because its content presents a potential security issue
        | you are sending to or from has a policy that prohibited | sending messages with the same message id`,
    ],
    ['sender-refused', 'mail sending denied', '7.0'],
    ['sender-refused', 'unauthenticated email is not accepted', '7.1'],
    [
      'no-reverse-dns',
      `does not have a ptr record | have a ptr record or the ptr record
        | does not meet ipv6 sending guidelines regarding ptr records and authentication
        | does not match the ip address of the hostname`,
    ],
    ['security', 'cannot decode response', '5.2'],
    ['security', 'authentication required', '5.1', '7.0'],
    [
      'security',
      `too many login attempts | no identity changes permitted | application specific password required
        | please log in with your web browser | please log in through your web browser | username and password not accepted`,
    ],
    ['spam', 'due to the nature of the content or the links within | likely unsolicited mail'],
    [
      'too-fast',
      `is receiving mail too quickly | peak smtp relay limit exceeded for customer
        | rate that prevents additional messages from being delivered | daily sending quota exceeded
        | daily user sending limit exceeded | daily smtp relay limit exceeded for
        | daily smtp relay sending limit exceeded for`,
    ],
    ['too-fast', 'this mail has been rate limited', '7.1'],
    ['disabled', 'account that you tried to reach is disabled | account that you tried to reach is inactive', '2.1'],
    [
      'protocol',
      `smtp protocol violation | optional argument not permitted | too many unrecognized commands goodbye
        | unimplemented command | unrecognized command | bad sequence of commands | ehlo helo first | mail first
        | rcpt first | no data after bdat | unrecognized authentication type | xoauth is no longer supported
        | too many unauthenticated commands`,
    ],
    ['protocol', 'syntax error', '5.2', '7.11'],
    [
      'system',
      `temporary system problem | multiple destination domains per transaction is unsupported
        | mail server has temporarily rejected this message | mail server temporarily rejected message
        | domain policy size per transaction exceeded`,
    ],
    ['system', 'server busy', '4.5'],
    ['rate-limited', 'your message has too many recipients', '5.3'],
    ['rate-limited', 'too many recipients for this sender', '5.3'],
    ['unknown-user', 'the email account that you tried to reach does not exist', '1.1'],
    ['unknown-user', 'we werent able to find the recipient domain', '1.2'],
    ['unknown-user', 'is not a valid rfc 5321 address', '1.3'],
  ]),
  // Google's own reports about other servers.
  ...(['googlemail.com'] as const).flatMap((provider): Rule[] => [
    { reason: 'takes-no-mail', provider: [provider], says: 'null mx' },
    {
      reason: 'unknown-user',
      provider: [provider],
      says: 'because the address couldnt be found check for typos or unnecessary spaces and try again',
    },
    {
      reason: 'unknown-host',
      provider: [provider],
      passing: false,
      says: 'responded with code nxdomain | domain name not found',
    },
    {
      reason: 'dns',
      provider: [provider],
      passing: true,
      says: 'had no relevant answers | responded with code nxdomain | domain name not found',
    },
    { reason: 'dns', provider: [provider], says: 'had no relevant answers' },
  ]),
];
