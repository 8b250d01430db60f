import { NAMED_REASONS } from '../statuses.ts';
import type { Rule } from './rule.ts';

const EXIM = ['exim'];
const QMAIL = ['qmail'];
const OPENSMTPD = ['opensmtpd'];
const IMAIL = ['imail'];
const FML = ['fml'];

const GOOGLE_STATES: readonly (readonly [Rule['reason'], number])[] = [
  ['tls', 6],
  ['system', 8],
  ['tls', 9],
  ['relaying-denied', 12],
  ['blocked', 13],
  ['unknown-user', 14],
  ['filtered', 15],
  ['filtered', 17],
  ['filtered', 18],
];

/**
 * What programs say in reports of their own, which nobody else's words are taken for: the strings stand in their sources or
 * manuals. The selection follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const PROGRAM_RULES: readonly Rule[] = [
  // Exim (deliver.c, route.c, parser.c, retry.c, transports, routers) and those who run it as their own: MXLogic, Mail.ru.
  { reason: 'blocked', from: EXIM, at: ['EHLO'] },
  { reason: 'unknown-user', from: EXIM, notAt: ['MAIL'], says: 'user not found' },
  {
    reason: 'unknown-host',
    from: EXIM,
    notAt: ['MAIL'],
    says: `all host address lookups failed permanently | all relevant mx records point to non existent hosts
      | unrouteable address`,
  },
  { reason: 'mailbox-full', from: EXIM, notAt: ['MAIL'], says: 'mailbox is full | error quota exceed' },
  {
    reason: 'takes-no-mail',
    from: EXIM,
    notAt: ['MAIL'],
    says: 'an mx or srv record indicated no smtp service | no host found for existing smtp connection',
  },
  {
    reason: 'protocol',
    from: EXIM,
    notAt: ['MAIL'],
    says: `angle brackets nested too deep | expected word or | domain missing in source routed address
      | malformed address`,
  },
  {
    reason: 'system',
    from: EXIM,
    notAt: ['MAIL'],
    says: 'delivery to file forbidden | delivery to pipe forbidden | local delivery failed | lmtp error after',
  },
  { reason: 'content', from: EXIM, notAt: ['MAIL'], says: 'too many received headers' },
  {
    reason: 'expired',
    from: EXIM,
    notAt: ['MAIL'],
    says: `retry timeout exceeded | no action is required on your part
      | retry time not reached for any host after a long failure period
      | all hosts have been failing for a long time and were last tried | delay reason | has been frozen
      | was frozen on arrival by`,
  },
  { reason: 'mailer', from: EXIM, notAt: ['MAIL'], says: 'pipe to' },

  // qmail (qmail-send.c, qmail-remote.c, qmail-local.c, the LDAP patch) and its clones.
  { reason: 'blocked', from: QMAIL, at: ['EHLO'] },
  {
    reason: 'unclear',
    from: QMAIL,
    besides: 'does not like recipient',
    says: 'this message has been in the queue too long',
  },
  { reason: 'unknown-host', from: QMAIL, says: 'sorry i couldnt find any host' },
  { reason: 'mailbox-full', from: QMAIL, says: 'disk quota exceeded' },
  { reason: 'too-large', from: QMAIL, says: 'message size exceeds fixed maximum message size' },
  {
    reason: 'network',
    from: QMAIL,
    says: `sorry i wasnt able to establish an smtp connection
      | sorry although im listed as a best preference mx or a for that host`,
  },
  { reason: 'takes-no-mail', from: QMAIL, says: 'sorry i couldnt find a mail exchanger or ip address' },
  { reason: 'system-full', from: QMAIL, says: 'requested action not taken mailbox unavailable not enough free space' },
  { reason: 'unknown-user', from: QMAIL, says: 'no mailbox here by that name' },
  { reason: 'too-large-for-recipient', from: QMAIL, says: 'the message exeeded the maximum size the user accepts' },
  {
    reason: 'disabled',
    from: QMAIL,
    says: `mailaddress is administrativly disabled | mailaddress is administrativley disabled
      | mailaddress is administratively disabled | mailaddress is administrativeley disabled`,
  },
  {
    reason: 'system',
    from: QMAIL,
    says: `bad interpreter no such file or directory | system error | automatic homedir creator crashed
      | illegal value in ldap attribute | ldap attribute is not given but mandatory
      | timeout while performing search on ldap server | too many results returned but needs to be unique
      | permanent error while executing qmail forward | temporary error in automatic homedir creation
      | temporary error while executing qmail forward | temporary failure in ldap lookup
      | unable to contact ldap server | unable to login into ldap server bad credentials`,
  },
  // The beginning of a sentence; "we were unable to deliver" is only politeness.
  { reason: 'system', from: QMAIL, code: /(?<! (?:was|were|is|are|am|im|been)) unable to / },
  { reason: 'expired', from: QMAIL, says: 'this message has been in the queue too long' },

  // OpenSMTPD (mta.c, queue.c).
  { reason: 'expired', from: OPENSMTPD, says: 'envelope expired' },
  { reason: 'security', from: OPENSMTPD, says: 'could not retrieve credentials' },
  { reason: 'unknown-host', from: OPENSMTPD, says: 'invalid domain name | domain does not exist' },
  {
    reason: 'network',
    from: OPENSMTPD,
    says: `address family mismatch on destination mxs | all routes to destination blocked | bad dns lookup error code
      | could not retrieve source address | loop detected | network error on destination mxs
      | no valid route to remote mx | no valid route to destination | temporary failure in mx lookup`,
  },
  {
    reason: 'takes-no-mail',
    from: OPENSMTPD,
    says: 'destination seem to reject all mails | no mx found for domain | no mx found for destination',
  },

  // DragonFly Mail Agent (dma.c, net.c).
  { reason: 'expired', says: 'could not deliver for the last' },
  { reason: 'unknown-host', from: ['dragonfly'], says: 'dns lookup failure host' },

  // Courier (esmtpclient.c).
  { reason: 'unknown-host', from: ['courier'], says: 'no such domain' },
  { reason: 'system', from: ['courier'], says: 'this domains dns violates rfc 1035' },
  { reason: 'network', from: ['courier'], says: 'dns lookup failed' },

  // Oracle Messaging Server.
  { reason: 'unknown-host', says: 'illegal host domain name found' },

  // Domino and Notes.
  { reason: 'filtered', says: 'cannot route mail to user' },
  { reason: 'system', says: 'several matches found in domino directory' },
  {
    reason: 'unknown-user',
    says: `not listed in domino directory | not listed in public name address book
      | no se encuentra en el directorio de domino | non repertorie dans lannuaire domino | non r … pertori … dans lannuaire domino`,
  },
  { reason: 'network', says: 'message has exceeded maximum hop count' },

  // Exchange: numbers of 5.5 and 2003 in brackets, names since 2007.
  { reason: 'unknown-user', says: '000c05a6' },
  { reason: 'filtered', says: '000c0595' },
  { reason: 'system', says: '00010256 | 000d06b5' },
  { reason: 'network', says: '00120270' },
  { reason: 'content', says: '00050311 | 000502cc' },
  { reason: 'security', says: '000b0981' },
  { reason: 'unknown-host', says: 'smtpsend dns nonexistentdomain' },
  { reason: 'network', says: 'smtpsend dns mxloopback' },
  { reason: 'system', says: 'resolver adr badprimary | resolver adr invalidinsmtp | resolver adr ambiguous' },
  {
    reason: 'unknown-user',
    says: 'resolver adr recipnotfound | resolver adr recipientnotfound | resolver adr exrecipnotfound',
  },
  { reason: 'rate-limited', says: 'resolver adr reciplimit' },
  { reason: 'security', says: 'resolver rst authrequired' },
  { reason: 'sender-refused', says: 'resolver rst notauthorized' },
  { reason: 'too-large-for-recipient', says: 'resolver rst recipsizelimit' },
  { reason: 'expired', says: 'queue expired' },

  // IMail.
  { reason: 'unknown-host', from: IMAIL, says: 'unknown host' },
  { reason: 'unknown-user', from: IMAIL, says: 'unknown user | invalid final delivery userid' },
  { reason: 'mailbox-full', from: IMAIL, says: 'user mailbox exceeds allowed size' },
  { reason: 'virus', from: IMAIL, says: 'requested action not taken virus detected' },
  { reason: 'spam', from: IMAIL, says: 'blacklisted url in message' },
  { reason: 'expired', from: IMAIL, code: / delivery failed \d{1,4} attempts / },

  // FML, a list manager.
  {
    reason: 'sender-refused',
    from: FML,
    says: `not member article from | reject mail from | may cause mail loop | reject spammers
      | you are not a member of this mailing list | spam mail from a spammer is rejected | are not member`,
  },
  {
    reason: 'system',
    from: FML,
    says: `duplicated message id | has detected a loop condition so that | loop back warning | fml system error message
      | loop alert | warning unix from loop`,
  },
  { reason: 'security', from: FML, says: 'security alert' },

  // Google's own reports have numbers for where in the session it was. A status that names a reason says more than they do.
  ...NAMED_REASONS.map((reason): Rule => ({
    reason,
    from: ['google'],
    named: [reason],
    general: false,
    code: / state \d{1,2} /,
  })),
  ...GOOGLE_STATES.map(([reason, number]): Rule => ({
    reason,
    from: ['google'],
    general: true,
    code: new RegExp(` state ${number} `),
  })),
  {
    reason: 'expired',
    from: ['google'],
    says: `dns error could not contact dns servers | delivery to the following recipient has been delayed
      | the recipient server did not accept our requests to connect`,
  },
  {
    reason: 'unknown-host',
    from: ['google'],
    says: 'dns error domain name not found | dns error dns server returned answer with no data',
  },

  { reason: 'sender-refused', from: ['google-groups'] },

  // Japanese carriers and providers.
  { reason: 'filtered', from: ['spasign'] },
  { reason: 'mailbox-full', from: ['kddi'], says: 'account is temporarily over quota | as their mailbox is full' },
  { reason: 'disabled', from: ['kddi'], says: 'account is disabled | account is temporarily limited' },
  { reason: 'expired', from: ['kddi'], says: 'your message was not delivered within' },
  { reason: 'relaying-denied', from: ['kddi'], says: 'due to the following smtp relay error' },
  { reason: 'unknown-host', from: ['kddi'], says: 'as the remote domain doesnt exist' },
  { reason: 'filtered', from: ['biglobe'], says: 'mail delivery failed user unknown' },
  {
    reason: 'mailbox-full',
    from: ['biglobe'],
    says: 'the number of messages in recipients mailbox exceeded the local limit',
  },

  // InterScan, where it does not quote the session after it.
  { reason: 'unknown-user', from: ['interscan'], code: / unable to deliver (?!.* received )/ },

  // 1&1, GMX, Zoho, Verizon, Facebook.
  { reason: 'too-large', says: 'mail size limit exceeded' },
  { reason: 'expired', from: ['gmx'], says: 'delivery retry timeout exceeded' },
  { reason: 'expired', from: ['zoho'], says: 'host not reachable' },
  {
    reason: 'unknown-user',
    from: ['verizon'],
    says: 'requested action not taken no such user here | no valid recipients for this mm',
  },
];
