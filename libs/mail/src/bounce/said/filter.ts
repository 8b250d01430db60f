/**
 * What servers say of the message, of where it comes from, and of how much comes. The form is the one of `mailbox.ts`; which
 * phrases mean which reason follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const BLOCKED = `said blocked | www spamcop net bl | bad sender ip address | banned sending ip | blacklisted by
  | blocked using | blocked see http | blocked see https | dnsbl attrbl | client host rejected abus detecte gu eib 02
  | client host rejected abus detecte gu eib 04 | client host rejected may not be mail exchanger
  | client host rejected was not authenticated | confirm this mail server | connection dropped | connection refused by
  | connection reset by peer | connection was dropped by remote host
  | connections not accepted from ip addresses on spamhaus xbl | currently sending spam see | domain does not exist someone
  | dynamic zombied spam ips blocked | error no valid recipients from | esmtp not accepting connections
  | extreme bad ip profile | go away | helo command rejected | host network not allowed | hosts with dynamic ip
  | invalid ip for sending mail of domain | is in a black list | is not allowed to send mail from
  | mailfrom domain is listed in spamhaus | no access from mail server | no matches to nameserver query
  | not currently accepting mail from your ip | part of their network is on our block list
  | please use the smtp server of your isp | refused see http | refused see https | rejected multi blacklist
  | rejected because the sending mta or the sender has not passed validation | rejecting open proxy
  | sender ip address rejected | server access forbidden by your ip
  | service not available closing transmission channel | smtp error from remote mail server after initial connection
  | sorry that domain isnt in my list of allowed rcpthosts | sorry your remotehost looks suspiciously like spammer
  | temporarily deferred due to unexpected volume or user complaints
  | to submit messages to this e mail system has been rejected | too many spams from your ip
  | too many unwanted messages have been sent from the following ip address above | was blocked by
  | we do not accept mail from dynamic ips | you are not allowed to connect | you are sending spam
  | your ip address is listed in the rbl | your network is temporary blacklisted | your server requires confirmation
  | access from ip address … blocked | client host … blocked using
  | connections will not be accepted from … because the ip is in spamhauss list | dnsbl rbl … is blocked
  | email blocked by … barracudacentral org | email blocked by … spamhaus | host … refused to talk to me … blocked
  | ip … is blocked by earthlink | is in an … rbl on | mail server at … is blocked | mail from … refused see … orbs
  | mail from … refused | message from … rejected based on blacklist
  | messages from … temporarily deferred due to user complaints | server ip … listed as abusive
  | sorry your ip address … is blocked by rbl | the domain … is blacklisted | the email … is blacklisted
  | the ip … is blacklisted | your access ip … has been rejected
  | your senders ip address is listed at … abuseat org | someone blocked`;

export const SPAM = `dsbl org help help spam 16 | mail 163 com help help spam 16 | spamhaus org help help spam 16
  | reject id | appears to be unsolicited | blacklisted url in message | block for spam | blocked by policy no spam please
  | blocked by spamassassin | blocked for abuse see http att net blocks
  | cannot be forwarded because it was detected as spam
  | considered unsolicited bulk e mail spam by our mail filters | content filter rejection
  | cyberoam anti spam engine has identified this email as a bulk email | denied due to spam list
  | high probability of spam | is classified as spam and is rejected | listed in work drbl imedia ru
  | the mail server detected your message as spam and has prevented delivery | mail appears to be unsolicited
  | mail content denied | may consider spam | message considered as spam or virus | message contains spam or virus
  | message content rejected | message detected as spam | message filtered | message looks like spam
  | message is being rejected as it seems to be a spam | message refused by mailmarshal spamprofiler
  | message refused by trustwave seg spamprofiler | message rejected as spam
  | message rejected because of unacceptable content | message rejected due to suspected spam content
  | message rejected for policy reasons | message was rejected for possible spam virus content
  | our email server thinks this email is spam | our system has detected that this message is | probable spam
  | reject bulk advertising | rejected spamassassin score | rejected bulk email | rejecting banned content
  | rejecting mail content | related to content with spam like characteristics | sender domain listed at
  | sending address not accepted due to spam filter | spam blocked | spam check | spam content matched | spam detected
  | spam email | spam email not accepted | spam message rejected | spam not accepted | spam refused | spam rejection
  | spam score | spambouncer identified spam | spamming not allowed | too many spam complaints | too much spam
  | the email message was detected as spam | the message has been rejected by spam filtering engine
  | the message was rejected due to classification as bulk mail | the content of this message looked like spam
  | this message appears to be spam | this message has been identified as spam
  | this message has been scored as spam with a probability | this message was classified as spam
  | this message was rejected by recurrent pattern detection system | transaction failed spam message not queued
  | we dont accept spam | your email appears similar to spam we have received before
  | your email breaches local uribl policy | your email had spam like | your email is considered spam
  | your email is probably spam | your email was detected as spam | your message as spam and has prevented delivery
  | your message has been temporarily blocked by our filter
  | your message has been rejected because it appears to be spam | your message has triggered a spam block
  | your message may contain the spam contents | your message failed several antispam checks
  | greylisted … please try again in | mail score … over | our filters rate at and above … probability of being spam
  | rejected by … spam | rejected due to spam … classification | rejected due to spam … content
  | rejected due to spam content | rule imposed as … is blacklisted on | spam … exceeded | this message scored … spam points
  | judged to be spam`;

export const VIRUS = `it has a potentially executable attachment
  | the message was rejected because it contains prohibited virus or spam content
  | this form of attachment has been used by recent viruses or other malware | virus detected
  | virus phishing malicious url detected | your message was infected with a virus`;

export const POLICY = `an illegal attachment on your message | because the recipient is not accepting mail with
  | by non member to a members only list | closed mailing list | denied by policy | email not accepted for policy reasons
  | email rejected due to security policies | header are not accepted | header error | local policy violation
  | message bounced due to organizational settings | message given low priority
  | message not accepted for policy reasons | message rejected due to local policy | messages with multiple addresses
  | rejected for policy reasons | protocol violation
  | the email address used to send your message is not subscribed to this group
  | the message was rejected by organization policy | this message was blocked because its content presents a potential
  | we do not accept messages containing images or other attachments | youre using a mass mailer
  | you have exceeded the … allowable number of posts without solving a captcha`;

export const CONTENT = `duplicate header | header size exceeds maximum permitted
  | improper use of 8 bit data in message header | message header size or recipient list exceeds policy limit
  | message mime complexity exceeds the policy maximum | routing loop detected too many received headers
  | this message contain invalid mime headers | this message contain improperly formatted binary content
  | this message contain text that uses unnecessary base64 encoding | message contain … mime headers`;

export const TOO_FAST = `mail sent from your ip address has been temporarily rate limited | please try again slower
  | receiving mail at a rate that prevents additional messages from being delivered | user is receiving mail too quickly
  | is receiving mail too quickly | recipients per hour message receive limit`;

export const RATE_LIMITED = `all available ips are at maximum connection limit | connection rate limit exceeded
  | exceeds per domain connection limit for | has exceeded the max emails per hour
  | throttling failure daily message quota exceeded | throttling failure maximum sending rate exceeded
  | too many connections | too many concurrent smtp connections | too many errors from your ip | too many recipients
  | too many smtp sessions for this host | trop de connexions | we have already made numerous attempts to deliver this message`;
