/**
 * What is said of hosts, networks and machines on the way. The form is the one of `mailbox.ts`; which phrases mean which
 * reason follows sisimai (BSD 2-Clause, see NOTICE).
 */
export const UNKNOWN_HOST = `domain does not exist | domain is not reachable | domain must exist
  | host or domain name not found | host unknown | host unreachable | mail domain mentioned in email address is unknown
  | name or service not known | no such domain | recipient address rejected unknown domain name
  | recipient domain must exist | the account or domain may not exist | account or domain may not exist | unknown host
  | unroutable address | unrouteable address`;

export const NETWORK = `could not connect and send the mail to
  | dns records for the destination computer could not be found | hop count exceeded possible mail loop
  | host is unreachable | host name lookup failure | host not found try again | mail forwarding loop for
  | malformed name server reply | malformed or unexpected name server reply | maximum forwarding loop count exceeded
  | message looping | message probably in a routing loop | no route to host | too many hops | unable to resolve route
  | unrouteable mail domain | had no relevant answers`;

export const SYSTEM = `aliasing forwarding loop broken | cant create user output file | could not load drd for domain
  | internal error reading data | internal server error operation now in progress | interrupted system call
  | it encountered an error while being processed | it would create a mail loop | local configuration error
  | local error in processing | loop was found in the mail exchanger | loops back to myself
  | mail system configuration error | queue file write error | recipient deferred because there is no mdb
  | remote server is misconfigured | server configuration error | service currently unavailable | system config error
  | temporary local problem | timeout waiting for input | transaction failed | unable to connect … daemon`;

export const SYSTEM_FULL = `mail system full | requested mail action aborted exceeded storage allocation`;

export const NO_MAIL = `does not accept mail nullmx | host domain does not accept mail | host does not accept mail
  | mail receiving disabled | name server host not found | no mx record found for domain | no route for current request
  | smtp protocol returned a permanent error | null mx`;

export const EXPIRED = `connection timed out | could not find a gateway for | delivery attempts will continue to be
  | delivery expired | delivery time expired | failed to deliver to domain | giving up on
  | have been failing for a long time | has been delayed | it has not been collected after
  | message expired after sitting in queue for | message expired cannot connect to remote server
  | message expired connection refulsed | message timed out
  | retry time not reached for any host after a long failure period | server did not respond
  | this message has been in the queue too long | unable to deliver message after multiple retries
  | was not reachable within the allowed queue period | your message could not be delivered for more than
  | could not be delivered for … days | delivery expired message too old`;

export const TLS = 'starttls is required to send mail | tls required but not supported';

export const SECURITY = `account not subscribed to ses | authentication credentials invalid | authentication failure
  | authentication required | authentication turned on in your email client
  | executable files are not allowed in compressed files | insecure mail relay
  | recipient address rejected access denied
  | sorry you dont authenticate or the domain isnt in my list of allowed rcpthosts
  | unauthenticated senders not allowed | verification failure
  | you are not authorized to send mail authentication is required | authentication failed server … said
  | authentification invalide … 305 | authentification requise … 402 | domain … is a dead domain
  | user … is not authorized to perform ses sendrawemail on resource`;

export const MAILER = `exit 75 | procmail | bin procmail | bin maidrop | command failed | command died with status
  | command output | mailer error | pipe to | x unix`;

/** A filter that deletes mail for somebody who is away says so in a report. */
export const AWAY =
  'i am away on vacation | i am away until | i am out of the office | i will be traveling for work on';
