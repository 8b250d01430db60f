import type { Rule } from '../rules/rule.ts';

/** The state of the mailbox, and what its owner wants. */
export const MAILBOX_RULES: readonly Rule[] = [
  {
    reason: 'mailbox-full',
    notStatus: ['2.3', '3.1', '3.4'],
    says: `diskspace quota | mailbox full | mailbox … is full | mailbox … over quota | mailbox … exceeded … limit
      | mailbox exceeds | mailbox has exceeded | mailbox size limit exceeded | mailbox quota | mailbox … quota exceeded
      | would exceed mailbox | mailbox space | mail folder is full | mailfolder is full | inbox … full | maildir … quota
      | maildir delivery failed | user … over quota | over quota | overquota | over … quota | exceed … quota
      | quota exceeded | quota exceed | quota violation | quota … full | disk quota | insufficient disk quota
      | exceeded … storage | exceeds … storage | out of storage | not enough storage space | not enough disk space
      | storage limit | storage full | not enough room | account is full | user … is full | too many messages in … mailbox
      | too much mail data | boite … pleine | buzon lleno | casella piena | postfach … voll | メールボックスが一杯 | メールボックスがいっぱい`,
  },
  {
    reason: 'too-large-for-recipient',
    says: `recipsizelimit | too large for this recipient | limit set by recipient | exceeds … limit … recipient`,
  },
  {
    reason: 'too-large',
    notStatus: ['2.3', '2.2'],
    says: `overadvertisedsize | message too large | message too big | message … is too large | message … is too big
      | message is larger than | message size exceeds | message size … exceeds | message exceeds … size
      | message length exceeds | maximum message size | max message size | exceeded … message size
      | exceeds … message size | exceeds size limit | size limit exceeded | exceeds maximum | exceeds the maximum
      | exceeds fixed limit | exceeds fixed maximum | mail too big | mail size limit | message file too big | file too big
      | line limit exceeded | header size exceeds | headers too large | too much data`,
  },
  {
    reason: 'too-fast',
    notStatus: ['1.1'],
    says: `per hour message receive limit | receive limit | receiving mail at a rate | receiving mail too quickly
      | mail sent to … at a rate | unusual rate | rate limited | rate limit for | ratelimit | too fast | slow down
      | slower | sent too quickly | sending too quickly`,
  },
  {
    reason: 'disabled',
    notStatus: ['1.1', '1.7', '1.8', '7.1'],
    says: `account is temporarily limited | account … disabled | account … is inactive | account inactive
      | account … suspended | account … locked | account … deactivated | account … expired | account … blocked
      | account … been closed | account closed | account … frozen | account … discontinued | account … not active
      | account not activated | account … terminated | account … on hold | mailbox … disabled | mailbox disabled
      | mailbox … suspended | mailbox … frozen | mailbox … locked | mailbox … inactive | mailbox … blocked
      | mailbox … deactivated | mailbox … expired | user … disabled | user … suspended | user … inactive
      | user … deactivated | user … is locked | address … disabled | address … suspended | address is inactive
      | address … no longer active | recipient … suspended | recipient … disabled | recipient … inactive | disableduser
      | domain … suspended | not currently accepting messages | no longer accepts mail | archived recipient
      | destinataire archivee | user is terminated | suspend the service | or domain is disabled | temporary locked
      | temporarily locked | inactive account | deactivated mailbox | currently suspended | temporarily inactive
      | temporarily disabled | is dormant | is deactivated`,
  },
  {
    reason: 'moved',
    says: `no longer on server | not our customer | has moved | have moved | moved to | moved permanently
      | has been replaced by | address … changed to | address … has changed | new email address | new e mail address
      | use the new address | user not local please try | no forwarding address`,
  },
  {
    reason: 'takes-no-mail',
    notStatus: ['7.1', '1.1'],
    says: `null mx | nullmx | domain does not accept mail | host does not accept mail | domain does not accept email
      | doesnt receive email | does not receive mail | does not receive email | doesnt accept mail
      | does not accept any mail | domain accepts no mail | host accepts no mail | accepts no mail
      | not accepting network messages | smtp service disabled | no mail service | does not accept network mail`,
  },
  {
    reason: 'filtered',
    says: `message filtered | filtered by | user rules | user … refuses | recipient … refuses | refused by recipient
      | refused by the recipient | rejected by recipient | rejected by user | blocked by recipient
      | blocked by the recipient | blocked … by user | recipient preferences | recipients preferences
      | only accepting mail from | only accepts mail from | only accepts messages from | is not accepting any mail
      | is not accepting mail from | recipient … list of senders | user … does not accept | recipient … not accepting
      | recipient reject | user reject | recipient … has blocked | recipient … restricted | sieve … reject
      | recipient … refuse | personal blacklist | allowed sender list | recipients … whitelist | account is protected by
      | user … has restricted`,
  },
];
