import type { Rule } from '../rules/rule.ts';

/**
 * What is held against us. These stand before everything that says "unknown user": servers wrap them into "Recipient address
 * rejected" and 5.1.1, and our reputation must never cost a recipient.
 */
export const SENDER_RULES: readonly Rule[] = [
  {
    reason: 'greylisted',
    passing: true,
    says: `greylist | greylisted | greylisting | graylist | graylisted | graylisting | grey list | grey listed | gray list
      | gray listed`,
  },
  {
    reason: 'relaying-denied',
    says: `relay access denied | relaying denied | relay denied | relaying … denied | unable to relay | cannot relay
      | relay not permitted | relaying not permitted | relay not allowed | relaying not allowed | not permitted to relay
      | not allowed to relay | no relaying | no relay | relay prohibited | relaying prohibited | relaying is prohibited
      | relaying mail | do not relay | does not relay | relay operation | list of allowed rcpthosts
      | in my list of allowed | relay … refused | refused to relay | relay rejected | invalid relay | not a relay
      | relay … forbidden | unauthorized relay | as a relay | not our domain | domain not hosted`,
  },
  {
    reason: 'no-reverse-dns',
    says: `reverse dns | reverse lookup | reverse hostname | reverse … record | reverse name | reverse ip | rdns
      | ptr record | ptr records | no ptr | missing ptr | without ptr | ptr … missing | valid ptr | fcrdns
      | cannot find your hostname | cannot find your reverse | cannot resolve your address | cannot resolve … ip address
      | unresolvable … client | ip name lookup failed | domain name … does not match … ip | mismatches client ip
      | does not match … client ip | in addr arpa`,
  },
  {
    reason: 'unauthenticated',
    notStatus: ['1.7', '1.8', '5.0', '6.0'],
    says: `dmarc | sender is unauthenticated | unauthenticated email | unauthenticated mail | unauthenticated sender
      | unauthenticated messages | authentication checks failed | authentication check failed | email authentication
      | spf … fail | spf … failed | spf … softfail | spf … reject | spf … not authorized | spf … not allowed
      | spf … not pass | fail … spf | failed … spf | spf check | spf validation | spf record | spf policy | spf … dkim
      | openspf | sender policy framework | not … permitted by … spf | dkim … fail | dkim … failed | dkim … not pass
      | dkim … invalid | dkim … missing | dkim verification | no valid dkim | dkim check | arc … fail | sender id
      | senderid`,
  },
  {
    reason: 'malformed',
    says: `rfc … compliant | not compliant with rfc | rfc compliance | rfcmessagenoncompliant | violates rfc
      | rfc … violation | not comply with rfc | duplicate header | multiple … headers | multiple addresses in from
      | multiple from | missing … header | header … is missing | header … required | must have … header | bare lf
      | bare cr | bare linefeed | bare newline | missing a valid messageid | without … message id header
      | invalid … header syntax`,
  },
  {
    reason: 'reputation',
    says: `poor reputation | low reputation | bad reputation | reputation … low | reputation … poor | sender reputation
      | ip reputation | reputation of | reputation score`,
  },
  {
    reason: 'sender-refused',
    notStatus: ['1.1', '7.0'],
    says: `resolver rst notauthorized | sender rejected | sender refused | sender denied | sender blocked
      | sender is blocked | sender … blacklisted | sender address rejected | sender address refused
      | sender address … blocked | sender address … invalid | sender email address | sender address has
      | sender … not allowed | sender … was rejected | sender … has been rejected | sender … denied | invalid sender
      | bad sender | unknown sender | sender unknown | sender domain | senders domain | domain of sender | sender verify
      | sender verification | sender callout | sender … does not exist | envelope sender | envelope from
      | sender … in my … list | return path | unroutable sender | unrouteable sender | empty sender | null sender
      | empty envelope | batv | mail from … denied | mail from … not owned | from … is invalid
      | sending to from an address | your email address has been | backscatter | not authorized to send
      | email address is not verified | sender … spammer | not … allowed to post | not permitted to post
      | permission to post | google groups | emetteur invalide | bogus mail from | returned mail not accepted
      | mx records for`,
  },
  {
    reason: 'sender-refused',
    at: ['MAIL'],
    says: `address rejected | access denied | domain … not found | does not exist | no such domain | domain not found
      | not verified`,
  },
];
