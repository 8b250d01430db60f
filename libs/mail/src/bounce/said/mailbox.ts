/**
 * What servers say of a mailbox. Between bars stand phrases, one of which is enough; `…` is a gap of a few words, `someone`
 * stands for an address.
 *
 * Which phrases mean which reason follows sisimai (BSD 2-Clause, see NOTICE); they are the words of MTAs and providers.
 */
export const FULL = `account disabled temporarly for exceeding receiving limits | account is exceeding their quota
  | account is … over quota | account is … quota | boite du destinataire pleine | delivery failed over quota
  | disc quota exceeded | disk … quota | diskspace quota | enough … space | exceeded storage allocation
  | exceeding its mailbox quota | full mailbox | is over disk quota | is over quota temporarily
  | mail file size exceeds the maximum size allowed for mail delivery | mail quota exceeded
  | mailbox exceeded the local limit | mailbox exceeds allowed size | mailbox … exceeded … limit | mailbox … full
  | mailbox … quota | mailbox size limit exceeded | mailbox would exceed maximum allowed storage | mailbox over quota
  | maildelivery failed over quota | maildir … quota | maildir delivery failed | mailfolder is full | no space left on device
  | not enough storage space in | not sufficient disk space | over … quota | quota … exceeded | quota violation for
  | quota exceeded | recipient reached disk quota | recipient rejected mailbox would exceed maximum allowed storage
  | the recipient mailbox has exceeded its disk space limit | the users space has been used up
  | the user you are trying to reach is over quota | too much mail data | user has exceeded quota bouncing mail
  | user has too many messages on the server | user is over quota | user is over the quota | user over quota
  | users space has been used up | was automatically rejected quota exceeded | would be over the allowed quota
  | would exceed quota | inbox is out of storage space | email quota exceeded | account storage limit`;

export const TOO_LARGE = `exceeded maximum inbound message size | exceeded the maximum incoming message size
  | line limit exceeded | max message size exceeded | message file too big | message length exceeds administrative limit
  | message size exceeds fixed limit | message size exceeds fixed maximum message size | message size exceeds maximum value
  | message size exceeds | message too big | message too large for this | size limit | taille limite du message atteinte`;

export const TOO_LARGE_FOR_RECIPIENT = `message header size exceeds limit | message too large
  | message size … exceeds … limit`;

export const DISABLED = `is currently suspended | temporary locked | archived recipient | boite du destinataire archivee
  | email account that you tried to reach is disabled | email account that you tried to reach is inactive
  | account that you tried to reach is disabled | account that you tried to reach is inactive | has been suspended
  | has been temporarily limited | inactive account | invalid inactive user | is a deactivated mailbox
  | is unavailable user is terminated | mailbox currently suspended | mailbox disabled | mailbox is frozen
  | mailbox unavailable or access denied | mailbox is disabled | recipient rejected temporarily inactive
  | recipient suspend the service | sorry your message to … cannot be delivered this account has been disabled
  | this account has been disabled or discontinued | this account has been temporarily suspended
  | this address no longer accepts mail | this mailbox is disabled | user or domain is disabled | user suspended
  | vdelivermail account is locked email bounced | account is locked email bounced | mailaddress is administratively disabled
  | mailaddress is administrativly disabled | mailaddress is administrativley disabled
  | mailaddress is administrativeley disabled`;

export const MOVED = 'has been replaced by';

export const FILTERED = `account is protected by | because the recipient is only accepting mail from … email addresses
  | bounced address | due to extended inactivity new mail is not currently being accepted for this mailbox
  | has restricted sms e mail | has restricted sms email | is not accepting any mail | message filtered
  | message rejected due to user rules | not found recipient account | recipient id refuse to receive mail
  | recipient is only accepting mail from specific email addresses | refused due to recipient preferences
  | resolver rst notauthorized | this account is protected by | user not found | user refuses to receive this mail | user reject
  | we failed to deliver mail because the following address recipient id refuse to receive mail
  | you have been blocked by the recipient`;

export const UNKNOWN_USER = `address does not exist | address not present in directory | address unknown | destination addresses were unknown
  | email address does not exist | email address could not be found | invalid mailbox | invalid mailbox path
  | invalid recipient | is not a known user | is not a valid mailbox | is not an active address at this host
  | mailbox does not exist | mailbox invalid | mailbox not present | mailbox not found
  | nessun utente simile in questo indirizzo | no account by that name here | no existe dicha persona
  | no existe ese usuario | no mail box available for this user | no mailbox by that name is currently available
  | no mailbox found | no such address here | no such address | no such mailbox | no such person at this address
  | no such recipient | no such user | not a valid recipient | not a valid user here | not a local address
  | not email addresses | recipient address rejected invalid user | recipient address rejected invalid recipient
  | recipient address rejected unknown user | recipient address rejected userunknown | recipient does not exist
  | recipient is not local | recipient not exist | recipient not found | recipient unknown
  | resolver adr recipient notfound | sorry user unknown | sorry badrcptto | sorry no mailbox here by that name
  | no mailbox here by that name | the email account that you tried to reach does not exist
  | account that you tried to reach does not exist | the users email name is not found
  | there is no one at this address | this email address is wrong or no longer valid
  | this recipient is in my badrecipientto list | this recipient is not in my validrcptto list
  | this spectator does not exist | unknown mailbox | unknown recipient | unknown user | user does not exist
  | user missing home directory | user not exist | user not found | user not known | user unknown
  | utilisateur inconnu | vdeliver invalid or unknown virtual user
  | weil die adresse nicht gefunden wurde oder keine e mails empfangen kann
  | your envelope recipient is in my badrcptto list | someone not found
  | account … does not exist at the organization | adresse d au moins un destinataire invalide
  | mailbox … does not exist | no … in name directory | non existent user | nonexistent user
  | rcpt someone does not exist | recipient … was not found in | recipient address rejected user … does not exist
  | this user doesnt have a … account | unknown e mail address | unknown email address | unknown local part
  | user … was not found | user … does not exist | user someone unknown | badrcptto`;

/** Said by those who mostly mean the same, and will not say it. */
export const UNKNOWN_PERHAPS = `cant accept user | destination server rejected recipients | invalid address | mailbox is inactive
  | mailbox is unavailable | mailbox unavaiable | no thank you rejected account unavailable | no valid recipients bye
  | recipient address rejected access denied | recipient address rejected in reply to rcpt to command
  | recipient is not accepted | recipient not ok | recipient refuses to accept your mail
  | requested action not taken mailbox unavailable | sorry your envelope recipient has been denied
  | that domain or user isnt in my list of allowed rcpthosts | the following recipients was undeliverable
  | this address no longer accepts mail | user not active | someone blocked by | bad … recipient
  | mailbox … unavailable or access denied | address invalid`;
