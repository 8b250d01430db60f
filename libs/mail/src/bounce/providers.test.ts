import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import type { Command } from './rules/rule.ts';
import { codesIn, Reading } from './words.ts';

const reason = (system: string, text: string, command?: Command) => {
  const { replyCode, statuses } = codesIn(text);
  const said = new Reading(text);
  return classify({ text: said, status: statuses[0], replyCode, command, quoted: true, systems: ['b.example', system] })
    .reason;
};

// Sentences as the providers publish them, with hosts and numbers of ours.
describe('a sentence of a provider', () => {
  it.each<[string, string, string, Command?]>([
    ['mx.aol.com', '550 5.1.2 Host or domain name not found. Name service error', 'unknown-host'],
    ['mx01.mail.icloud.com', '550 5.1.6 recipient no longer on server: someone', 'moved'],
    ['mx01.mail.icloud.com', '554 5.7.1 [CS01] Message rejected due to local policy.', 'policy'],
    ['mx01.mail.icloud.com', '421 4.7.1 Messages to someone deferred due to excessive volume.', 'too-fast'],
    ['mx01.mail.icloud.com', '550 5.1.1 unknown or illegal alias: someone', 'unknown-user'],
    ['c.mx.cloudflare.net', '554 192.0.2.1 found on one or more DNSBLs (s.example)', 'listed'],
    ['cxr.mx.a.cloudfilter.cox.net', '421 - too many sessions from 192.0.2.1 AUP#CXCNCT', 'rate-limited'],
    ['cxr.mx.a.cloudfilter.cox.net', '554 ERROR: 192.0.2.1 blocked. AUP#CXBL', 'blocked'],
    ['cxr.mx.a.cloudfilter.cox.net', '554 cox blocked. IPBL0001 - Refer to the page', 'blocked'],
    ['cxr.mx.a.cloudfilter.cox.net', '552 A URL in your message is listed. URLBL011', 'spam'],
    ['msgin.vvv.facebook.com', '550 5.1.1 RCP-P2 https://f.example Refused due to recipient preferences', 'filtered'],
    ['msgin.vvv.facebook.com', '554 5.7.0 POL-P5 https://f.example', 'virus'],
    ['msgin.vvv.facebook.com', '421 4.7.0 CON-T3 https://f.example', 'rate-limited'],
    [
      'smtp-in.orange.fr',
      '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]',
      'unknown-user',
    ],
    ['smtp-in.orange.fr', '421 4.2.0 Service refuse. Veuillez essayer plus tard. OFR005_505 [505]', 'system'],
    ['smtp-in.orange.fr', '550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]', 'spam'],
    ['smtp.laposte.net', '550 5.5.0 SPF: someone is not allowed to send mail. LPN004_401', 'unauthenticated'],
    ['smtp.laposte.net', '550 5.5.0 Le compte du destinataire est bloque. LPN007_426', 'disabled'],
    ['smtp.secureserver.net', '554 This IP has been temporarily blocked. IB112', 'blocked'],
    ['smtp.secureserver.net', '552 Virus infected message rejected. IB705', 'virus'],
    ['smtp.secureserver.net', '550 Recipient not found', 'unknown-user'],
    ['gmail-smtp-in.l.google.com', '421 4.7.0 IP not in whitelist for RCPT domain, closing connection.', 'blocked'],
    [
      'gmail-smtp-in.l.google.com',
      '550 5.7.1 likely suspicious due to the very low reputation of the sending domain',
      'reputation',
    ],
    [
      'gmail-smtp-in.l.google.com',
      "552 5.2.2 The recipient's inbox is out of storage space and inactive.",
      'mailbox-full',
    ],
    ['gmail-smtp-in.l.google.com', '550 5.4.5 Daily SMTP relay limit exceeded for user.', 'too-fast'],
    ['aspmx.l.google.com', '550 5.7.1 multiple addresses in From: header are not accepted', 'malformed'],
    ['aspmx.l.google.com', "553 5.1.2 We weren't able to find the recipient domain.", 'unknown-user'],
    ['lmtp-mxbe.email.ua', '550 details: https://mail.i.ua/err/3/', 'disabled'],
    ['lsean.ezweb.ne.jp', '550 : User unknown', 'filtered'],
    ['lsean.ezweb.ne.jp', '550 <a@b.example>: User unknown', 'unknown-user'],
    ['cluster1.us.messagelabs.com', '501 Connection rejected by policy [7.7] 20805', 'reputation'],
    [
      'cluster1.us.messagelabs.com',
      '553-you are trying to use me [server-1] as a relay, but I have not been configured',
      'relaying-denied',
    ],
    ['us-smtp-inbound-1.mimecast.com', '550 Anti-Spoofing policy - Inbound not allowed', 'policy'],
    ['us-smtp-inbound-1.mimecast.com', '451 Internal resources are temporarily unavailable', 'reputation'],
    ['us-smtp-inbound-1.mimecast.com', '550 Envelope blocked - User Entry', 'sender-refused'],
    ['mfsmax.docomo.ne.jp', '552 Too much mail data', 'mailbox-full'],
    ['mfsmax.docomo.ne.jp', '550 5.1.1 Unknown user someone', 'unknown-user'],
    ['mfsmax.docomo.ne.jp', '550 Unknown user someone', 'unknown-user'],
    ['mfsmax.docomo.ne.jp', '550 5.2.0 Unknown user someone', 'filtered'],
    ['mx1.hotmail.com', '550 Requested action not taken: mailbox unavailable', 'unknown-user'],
    ['pkvw-mx.msg.pkvw.co.charter.net', '421 AUP#In-1310 too many connections', 'rate-limited'],
    ['pkvw-mx.msg.pkvw.co.charter.net', '550 AUP#I-1220 no', 'blocked'],
    ['mx3.qq.com', '550 Mail content denied. https://service.mail.qq.com/detail/122/171', 'spam'],
    ['mx3.qq.com', '550 Mailbox not found', 'unknown-user', 'DATA'],
    ['mta5.am0.yahoodns.net', '554 Message not allowed - Headers are not RFC compliant [291]', 'malformed'],
    [
      'mta5.am0.yahoodns.net',
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints',
      'sender-refused',
    ],
    [
      'mta5.am0.yahoodns.net',
      "554 delivery error: dd This user doesn't have a yahoo.com account",
      'unknown-user',
      'DATA',
    ],
    ['mx.zoho.com', '451 4.7.1 Greylisted, try again after some time', 'greylisted'],
    [
      'x.prod.outlook.com',
      '550 5.4.310 DNS domain b.example does not exist [Message=InfoDomainNonexistent]',
      'relaying-denied',
    ],
    ['x.prod.outlook.com', '550 5.4.316 Message expired, connection refused(Socket error code 10061)', 'expired'],
    ['x.mail.protection.outlook.com', '550 5.4.1 Recipient address rejected: Access denied', 'unknown-user', 'RCPT'],
    ['x.mail.protection.outlook.com', '550 5.7.606 Access denied, banned sending IP [192.0.2.1]', 'blocked'],
    ['x.mail.protection.outlook.com', '451 4.7.500 Server busy. Please try again later from [192.0.2.1].', 'system'],
    [
      'x.mail.protection.outlook.com',
      '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; sender not authenticated for group',
      'sender-refused',
    ],
    [
      'x.olc.protection.outlook.com',
      '421 RP-001 The mail server IP has exceeded the rate limit allowed.',
      'reputation',
    ],
  ])('%s: %s is %s', (system, text, expected, command) => expect(reason(system, text, command)).toBe(expected));

  it('is nobody else’s', () => {
    expect(reason('mx.other.example', '550 5.2.0 Mail rejete. ofr_506 [506]')).toBe('filtered');
    expect(reason('mx.other.example', '550 AUP#I-1220')).toBe('unclear');
  });
});
