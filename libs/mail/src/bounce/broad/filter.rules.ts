import type { Rule } from '../rules/rule.ts';

/** What a filter thinks of the message, and of the address it comes from. */
export const FILTER_RULES: readonly Rule[] = [
  {
    reason: 'virus',
    says: `virus detected | virus found | virus infected | infected | contains a virus | contained a virus
      | contains virus | malware | trojan | worm | virus … rejected | rejected … virus | viruses | the virus`,
  },
  {
    reason: 'spam',
    at: ['DATA', 'RCPT', 'MAIL', 'unknown'],
    says: `blacklisted url | uribl | surbl | message content rejected | content rejected | message looks like spam
      | looks like spam | considered spam | considered to be spam | considered unsolicited | identified as spam
      | detected as spam | classified as spam | marked as spam | suspected spam | spam message | spam detected
      | spam content | spam score | spam mail | spam email | is spam | as spam | be spam | spam rejected | rejected … spam
      | rejected as spam | reject … spam | refused … spam | unsolicited | ube | uce | junk mail | junk email | bulk mail
      | bulk email | spamassassin | spamlike | spam like | spam filter | spam points | spam blocked | spam … filter
      | anti spam | antispam | our spam | probable spam | possible spam | high probability of spam | spamminess | spammy
      | mass mail | no spam`,
  },
  {
    reason: 'listed',
    says: `blocklist | block list | blocklisted | blacklist | blacklisted | black list | black listed | denylist
      | deny list | dnsbl | rbl | spamhaus | spamcop | barracudacentral | sorbs | abuseat | listed in the | listed in dns
      | listed on | listed at | is listed | are listed | listed by | multi blacklist`,
  },
  {
    reason: 'blocked',
    says: `client host … blocked | blocked using | blocked by | blocked for | host … blocked | ip … blocked
      | address … blocked | blocked … ip | is blocked | been blocked | dynamic ip | dynamic address | dialup | dial up
      | residential | open proxy | open relay | helo command rejected | helo … rejected | client host rejected
      | connections from | connection from … rejected | access from | server access … forbidden | bad sender ip
      | invalid ip | ip … not allowed | ip address rejected | ip … rejected | ip … denied | your network | your host
      | your ip | too many spams | go away | sending spam | spammer | not allowed to connect | access denied … ip
      | connection reset by peer | connection dropped | connection was dropped | dropped by remote host
      | refused to talk to me … blocked | country | not accepting connections | use the smtp server of your isp
      | confirm this mail server`,
  },
];
