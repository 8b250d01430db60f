import type { Rule } from './rule.ts';

/** Codes and sentences that single providers have published for themselves; they are believed before any status. */
export const PROVIDER_RULES: readonly Rule[] = [
  // Exchange Online uses 5.1.10 for this, which elsewhere is the null MX.
  {
    reason: 'unknown-user',
    status: ['1.10'],
    says: 'recipientnotfound | recipnotfound | recipient not found | smtp address lookup',
  },
  // Exchange: directory-based edge blocking.
  {
    reason: 'unknown-user',
    status: ['4.1'],
    at: ['RCPT', 'unknown'],
    says: 'recipient address rejected … access denied',
    weak: true,
  },
  // Outlook.com (SC, DY, OU, S31xx) and Exchange Online (5.7.6xx, 5.7.7xx).
  {
    reason: 'blocked',
    says: `messages from … werent sent | part of their network is on our block list | banned sending ip
      | access denied banned | s3140 | s3150 | sc 001 | sc 002 | sc 003 | sc 004 | dy 001 | dy 002 | ou 001 | ou 002
      | traffic not accepted from this ip`,
  },
  { reason: 'too-fast', says: 'rp 001 | rp 002 | rp 003 | tenant has exceeded' },
  { reason: 'unauthenticated', status: ['7.509', '7.515'] },
  { reason: 'malformed', status: ['7.512'] },
  { reason: 'spam', status: ['7.501', '7.502', '7.503'] },
  { reason: 'blocked', status: ['7.511', ...Array.from({ length: 44 }, (_, n) => `7.${606 + n}`)] },
  { reason: 'takes-no-mail', passing: false, says: 'host does not accept mail' },
  // KDDI (au) names the address when it refuses it at RCPT, whether or not a report says where; its filter does not.
  {
    reason: 'unknown-user',
    provider: ['ezweb.ne.jp', 'au.com', 'auone-net.jp'],
    at: ['unknown'],
    quoted: true,
    says: 'someone user unknown',
    weak: true,
  },
  // cPanel's Exim, for whatever has no route.
  { reason: 'unknown-host', says: 'account or domain may not exist', weak: true },
  // Gmail.
  { reason: 'too-fast', says: 'receivingrate | receivingrateperm | unsolicitedratelimiterror' },
  { reason: 'reputation', says: 'very low reputation | low reputation of the sending' },
  // Yahoo and AOL.
  { reason: 'reputation', says: 'unexpected volume or user complaints | deferred due to user complaints | tss04' },
  { reason: 'blocked', says: 'connections will not be accepted from | connections not accepted from ip' },
  { reason: 'takes-no-mail', provider: ['yahoo.com', 'yahoo.co.jp', 'aol.com'], says: 'no mx record found for domain' },
  // Orange and La Poste.
  { reason: 'mailbox-full', says: 'ofr 417' },
  { reason: 'unknown-user', says: 'ofr 416 | ofr 418' },
  { reason: 'rate-limited', says: 'ofr 104 | ofr004 104 | too many connections slow down' },
  { reason: 'spam', says: 'ofr 506 | mail rejete' },
  { reason: 'sender-refused', says: 'ofr 415 | expediteur … invalide' },
  { reason: 'blocked', says: 'service refused please try later | adresse ip source bloquee' },
  // SFR.
  { reason: 'blocked', says: 'abus detecte' },
  // Facebook.
  { reason: 'unknown-user', says: 'rcp p1' },
  { reason: 'filtered', says: 'rcp p2 | rcp p3' },
  { reason: 'unauthenticated', says: 'aut p1 | aut p2' },
  { reason: 'blocked', says: 'blk p1 | blk p2 | con t1 | con t3' },
  { reason: 'spam', says: 'blk p3' },
  // iCloud.
  { reason: 'policy', says: 'cs01 | hm07 message | hm08 message' },
  // Cox.
  { reason: 'blocked', says: 'cxbl | cxrbl | cdrbl' },
  { reason: 'no-reverse-dns', says: 'cxdns' },
  { reason: 'sender-refused', says: 'cxsndr' },
  { reason: 'rate-limited', says: 'cxmxrt | cxmj' },
  { reason: 'too-fast', says: 'cxthrt' },
  // AOL.
  { reason: 'spam', says: 'hvu b1 | hvu b2' },
  { reason: 'blocked', says: 'rly b1 | rly b2 | rly b3 | rly bd | rly ch | rtr bb | rtr bl | dynrbl' },
  { reason: 'no-reverse-dns', says: 'dns nr' },
  // MessageLabs (Symantec) refuses unknown recipients with 542.
  {
    reason: 'unknown-user',
    provider: ['messagelabs.com'],
    replyCode: [542, 550],
    says: 'someone rejected | invalid recipient',
  },
  // Charter and its brands name the limit by number.
  {
    reason: 'rate-limited',
    says: 'aup in 1310 | aup in 1320 | aup in 1330 | aup in 1340 | aup in 1350 | aup in 1360 | aup in 1380',
  },
  // Tencent.
  { reason: 'rate-limited', says: 'frequency limited | connection frequency' },
];
