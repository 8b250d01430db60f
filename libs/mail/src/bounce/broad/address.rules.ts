import type { Rule } from '../rules/rule.ts';

const UNKNOWN_USER = `recipient address rejected undeliverable | user unknown | unknown user | no such user
  | no such mailbox | no such recipient | no such address | no such person | no such account | no such name
  | user doesnt exist | user … doesnt exist | user does not exist | user … does not exist | user not exist
  | user not found | user … not found | user not known | user is unknown | user … is unknown | user invalid | invalid user
  | unknown userid | mailbox not found | mailbox … not found | mailbox does not exist | mailbox … does not exist
  | mailbox doesnt exist | mailbox … unknown | mailbox unknown | unknown mailbox | invalid mailbox | mailbox invalid
  | mailbox not present | no mailbox here | no mailbox by that name | no mailbox found | no mail box | not a valid mailbox
  | mailbox name not allowed | account … does not exist | account does not exist | account doesnt exist
  | account that you tried to reach does not exist | no account by that name | doesnt have … account
  | does not have … account | account not found | account … not found | unknown account | recipient unknown
  | unknown recipient | invalid recipient | recipient invalid | bad recipient | recipient not found
  | recipient … not found | recipient does not exist | recipient … does not exist | recipient doesnt exist
  | recipient not exist | recipient name is not recognized | recipnotfound | recipientnotfound | recipient … is not local
  | not a valid recipient | not a valid user | not a known user | not a local address | destination addresses were unknown
  | address does not exist | address … does not exist | address doesnt exist | address unknown | unknown address
  | unknown email address | unknown e mail address | address not found | address … not found | address couldnt be found
  | address could not be found | address … could not be found | address not present | invalid final delivery userid
  | unknown local part | unknown local | unknown virtual user | not listed in … address book | not listed in directory
  | not listed in … directory | directory … not listed | bad destination mailbox address | no one at this address
  | non existent user | nonexistent user | badrcptto | validrcptto | nosuchuser | utente sconosciuto | utente non
  | destinataire invalide | destinataire inconnu | utilisateur inconnu | adresse … introuvable | adresse … inconnue
  | usuario desconocido | usuario … no existe | empfanger unbekannt | unbekannter empfanger | benutzer unbekannt
  | adresse nicht gefunden | adresse … nicht gefunden | すでに使われておりません | 宛先メールアドレスが見つかりません`;

/** Said by those who will not tell whether there is such a mailbox. */
const PERHAPS = `recipient address rejected | recipient rejected | mailbox is unavailable | account unavailable
  | address … no longer | bad address | invalid address | address invalid | no existe | undeliverable address
  | recipient … rejected | address rejected | recipient not accepted | recipient … not accepted | recipient not ok
  | recipient is not accepted | does not exist | no valid recipients | no thank you | envelope recipient has been denied
  | cant accept user | destination server rejected recipients | recipients was undeliverable`;

/**
 * Whether there is such a mailbox. Only an answer to RCPT says so for certain (RFC 5321 3.3): who takes the recipient and
 * refuses after DATA has filtered, whatever the words are, and so may have one of whom no command is known.
 */
export const ADDRESS_RULES: readonly Rule[] = [
  { reason: 'unknown-user', status: ['1.1', '1.3'] },
  {
    reason: 'unknown-user', // "mailbox unavailable" is RFC 5321's text for many things; these relays mean this one
    provider: ['hotmail.com', 'outlook.com', 'vtext.com'],
    at: ['unknown'],
    notStatus: ['7.1', '2.1', '2.0'],
    says: `${UNKNOWN_USER} | mailbox unavailable`,
    weak: true,
  },
  { reason: 'unknown-user', at: ['RCPT'], says: UNKNOWN_USER },
  {
    reason: 'unknown-user',
    at: ['RCPT'],
    says: 'mailbox unavailable | mailbox … unavailable | recipient address rejected … access denied',
    weak: true,
  },
  { reason: 'unknown-user', at: ['unknown'], quoted: false, says: UNKNOWN_USER },
  {
    reason: 'sender-refused', // Exchange Online, of a whole message
    at: ['DATA'],
    says: 'recipient addresses rejected … access denied',
  },
  {
    reason: 'filtered',
    at: ['DATA', 'unknown'],
    says: `${UNKNOWN_USER} | mailbox unavailable | mailbox … unavailable`,
  },
];

/** Last of all: a refusal of the recipient for which nothing else was said. */
export const REFUSED_RULES: readonly Rule[] = [
  { reason: 'unknown-user', at: ['RCPT'], notStatus: ['7.1', '7.0'], says: PERHAPS, weak: true },
];
