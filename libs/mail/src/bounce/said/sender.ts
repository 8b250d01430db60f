/**
 * What servers hold against a sender: right to relay, DNS, authentication, address. The form is the one of `mailbox.ts`;
 * which phrases mean which reason follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const RELAYING = `as a relay | email address is not verified | insecure mail relay
  | is not permitted to relay through this server without authentication
  | mail server requires authentication when attempting to send to a non local e mail address | no relaying
  | not a gateway | not allowed to relay through this machine | not an open relay so get lost | not local host
  | open relay not allowed | open relay is not allowed | relay access denied | relay denied | relay not permitted
  | relaying denied | relaying mail to | send to a non local e mail address | specified domain is not allowed
  | that domain isnt in my list of allowed rcpthost | that domain isnt in my list of allowed rcpthosts
  | this system is not configured to relay mail | unable to relay | we dont handle mail for`;

export const UNAUTHENTICATED = `spf pobox com | bad spf records for | dmarc policy
  | doesnt meet the required authentication level | please inspect your spf settings
  | sender policy framework spf fail | sender policy framework violation
  | spf sender policy framework domain authentication fail | spf check fail
  | address doesnt meet the authentication requirements defined for the sender | is not allowed to send mail … 401
  | is not allowed to send from … per its spf record`;

export const NO_REVERSE_DNS = `access denied ip name lookup failed
  | all mail servers must have a ptr record with a valid reverse dns entry | bad dns ptr resource record
  | cannot find your hostname | cannot resolve your address | client host rejected cannot find your hostname
  | fix reverse dns for | ips with missing ptr records | no ptr record found
  | please get a custom reverse dns name from your isp for your host | ptr record setup | reverse dns failed
  | reverse dns required | sender ip reverse lookup rejected | does not have a ptr record | have a ptr record
  | the corresponding forward dns entry does not point to the sending ip
  | this system will not accept messages from servers devices with no reverse dns | unresolvable relay host name
  | we do not accept mail from hosts with dynamic ip or generic dns ptr records | domain … mismatches client ip
  | dns lookup failure … try again later | reverse dns lookup for host … failed permanently
  | server access … forbidden by invalid rdns record of your mail server | service permits … unverifyable sending ips
  | must have a reverse dns record | dns check failure try again later | rejected no rdns`;

export const MALFORMED = `duplicate header | duplicate headers | this message is not rfc 5322 compliant | is not rfc 5322 compliant
  | rfcmessagenoncompliant | multiple … header | multiple … headers | headers are not rfc compliant`;

export const REPUTATION = `a poor email reputation score | has been temporarily rate limited due to ip reputation
  | ip domain reputation problems | likely suspicious due to the very low reputation | none bad reputation
  | temporarily deferred due to unexpected volume or user complaints | the sending mtas poor reputation`;

/** Reads like a refusal of the sender, and is none. */
export const NOT_REFUSED = 'recipient address rejected | sender ip address rejected';

export const REFUSED = `access denied in reply to mail from command | access denied sender blacklisted | address rejected
  | administrative prohibition | batv failed to verify | batv validation failure
  | backscatter protection detected an invalid or expired email address
  | because the sender isnt on the recipients list of senders to accept mail from | bogus mail from
  | cant determine purported responsible address
  | connections not accepted from servers without a valid sender domain | denied bouncedeny
  | denied by secumail valid address filter | delivery not authorized message refused | does not exist e2110
  | domain of sender address | email address is on senderfilterconfig list | emetteur invalide
  | empty envelope senders not allowed | envelope blocked | error no third party dsns
  | from domain is invalid please provide a valid from | fully qualified email address required
  | invalid domain see url | invalid sender | is not a registered gateway user | mail from not owned by user
  | message rejected email address is not verified | mx records for | null sender is not allowed
  | recipient addresses rejected access denied | recipient not accepted batv no tag | returned mail not accepted here
  | rfc 1035 violation recursive cname records for | rule imposed mailbox access for
  | sending this from a different address or alias using the | sender address has been blacklisted
  | sender email address rejected | sender is in my black list | sender is spammer | sender not pre approved
  | sender rejected | sender domain is empty | sender verify failed | sender was rejected | spam reporting address
  | syntax error empty email address | the message has been rejected by batv defense | this server does not accept mail from
  | transaction failed unsigned dsn for | unroutable sender address | you are not allowed to post to this mailing list
  | you are sending to from an address that has been blacklisted
  | your access to submit messages to this e mail system has been rejected | your email address has been blacklisted
  | you dont have permission to send to this recipient | sender denied | sender address rejected
  | resolver rst notauthorized | not member article from`;
