import type { Rule } from '../rules/rule.ts';

/** The destination's domain. */
export const DOMAIN_RULES: readonly Rule[] = [
  { reason: 'unknown-host', status: ['1.2'] },
  {
    reason: 'dns',
    passing: true,
    says: 'returned answer with no data | could not be found in dns | destination email system is unknown | all host address lookups failed permanently | nonexistentdomain | dns error | dns lookup | domain name not found | nxdomain',
  },
  {
    reason: 'dns',
    says: 'dns lookup failure | dns lookup failed | dns query failed | host not found try again | host … not found try again | host name lookup failure',
  },
  {
    reason: 'unknown-host',
    notStatus: ['7.1'],
    says: `host unknown | unknown host | host … unknown | host not found | host … not found | domain name not found
      | domain not found | domain … not found | no such domain | no such host | domain does not exist
      | domain … does not exist | domain doesnt exist | domain … not exist | domain … couldnt be found
      | domain is not reachable | unknown domain | domain unknown | invalid domain | domain invalid | domain must resolve
      | domain … not valid | nxdomain | mail domain mentioned in … is unknown | domain must exist | may not exist
      | unrouteable address | unroutable address | domain name does not exist | couldnt find any host
      | could not find any host | has no mail exchanger | name or service not known | illegal host | bad destination host
      | all relevant mx records point to non existent hosts`,
  },
];

/** A name without an address that "does not exist" is a domain; whose, the reply leaves open. */
export const NAME_RULES: readonly Rule[] = [
  { reason: 'unknown-host', replyCode: [553], at: ['RCPT', 'DATA', 'unknown'], says: 'does not exist', weak: true },
];

/** How much, and what a provider lets in. */
export const POLICY_RULES: readonly Rule[] = [
  {
    reason: 'rate-limited',
    says: `reciplimit | recipientlimit | too many recipients | too many connections | trop de connexions
      | per domain connection | too many errors from | max emails per | exceeded … per hour | exceeded … per day
      | messages per | emails per | message quota exceeded | maximum sending rate | sending rate | message rate
      | too many messages | too many emails | too many mails | too much mail | throttling | throttled
      | rate limit exceeded | rate limit | numerous attempts to deliver | too many concurrent | too many sessions
      | too many simultaneous | concurrent connections | concurrency limit | connection rate | connections per
      | connection limit | simultaneous connections | number of connections | maximum number of … connections
      | max connections | recipients per | too many smtp sessions | too many open connections | number of recipients
      | too many transactions`,
  },
  {
    reason: 'too-fast',
    says: 'mail flood | sending too | daily limit | hourly limit | limit exceeded … try again | try again later … limit',
  },
  {
    reason: 'policy',
    says: `policy reasons | policy reason | policy violation | policy rejection | against … policy | violates … policy
      | violation of … policy | organization policy | organizational settings | protocol violation | mass mailer
      | illegal attachment | low priority | not subscribed to this group | members only list | due to policy
      | due to local policy | due to our policy | by policy | policy restrictions | local policy | security policy
      | security policies | message policy | content policy | policies | content presents a potential | header error
      | attachment … not allowed | attachments … not allowed | not allowed … attachment | prohibited attachment
      | forbidden attachment | blocked attachment | attachment type | file extension | executable | zip file
      | banned … file | potential security issue | denied by policy | administratively prohibited
      | administrative prohibition | closed mailing list | only … members | message not allowed | not accepted for policy
      | you must … register | prohibited by administrator`,
  },
];

/** The machines on the way, last because their words are the loosest. */
export const SYSTEM_RULES: readonly Rule[] = [
  {
    reason: 'protocol',
    says: `angle brackets nested | domain missing in source routed | expected word or | malformed address
      | malformed recipient | syntax error | improper sequence | bad sequence | out of sequence | sequence of commands
      | command not recognized | command unrecognized | unrecognized command | unknown command | command not implemented
      | command rejected | need rcpt | need mail | invalid command | command parameter | parameter not | bad command
      | commands out | syntax`,
  },
  {
    reason: 'content',
    says: `too many received headers | media error | media not supported | unsupported media | mime error
      | mime … malformed | malformed mime | mime … not supported | 8 bit … not | 8bit … not | 8bitmime
      | improper use of 8 bit | illegal character | invalid character | invalid header | header … invalid | charset not
      | encoding not | content type … not | content error | content … not supported | conversion required
      | conversion failed | conversion prohibited | data format error | smtputf8 | internationalized | body … malformed
      | header line | message header … not | message format | unable to parse`,
    notStatus: ['7.1', '7.9'],
  },
  {
    reason: 'tls',
    says: `certificate not verified | certificate … not verified | starttls | must issue a starttls | tls required
      | tls … required | requires tls | tls handshake | tls … failed | tls not available | tls is not available
      | certificate verify failed | certificate … expired | certificate … not trusted | cannot start tls | ssl … failed
      | requiretls | encryption required | dane | mta sts`,
  },
  {
    reason: 'loop',
    says: `too many hops | hop count exceeded | mail loop | mail forwarding loop | routing loop | message looping
      | forwarding loop count | loop detected | loop … detected | loop back`,
  },
  {
    reason: 'system-full',
    says: `system storage | insufficient system storage | insufficient system resources | insufficient disk
      | mail system full | system full | disk full | filesystem is full | file system full | no space left | out of memory
      | server … full | system … congested | system resources | queue … full`,
  },
  {
    reason: 'system',
    says: `local delivery failed | lmtp error after | delivery to file forbidden | delivery to pipe forbidden
      | resolver adr ambiguous | badprimary | invalidinsmtp | unable to contact ldap | ldap | directory server
      | encountered an error | loop broken | create a mail loop | loops back to myself | loop was found
      | queue file write error | there is no mdb | system error | internal error | internal server error | internal system
      | system config error | configuration error | local configuration | server configuration | config error
      | misconfigured | server error | server … problem | service unavailable | service currently unavailable
      | service temporarily unavailable | service not available | temporary local problem | local error | local problem
      | local delivery | cant create | cannot create | cannot open | could not open | can not open | unable to open
      | permission denied | after multiple retries | requested action aborted | error in processing | unexpected error
      | backend | database | unable to verify | could not be verified | resource temporarily | io error | i o error
      | timeout waiting for | aliasing loop | unknown error | transaction failed | misconfiguration
      | this system is not configured | interrupted | maintenance | lookup failed | lookup failure | temporary lookup`,
    notStatus: ['4.1', '4.7', '1.9'],
    at: ['STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'unknown'],
  },
  {
    reason: 'network',
    says: `no valid route to | all routes to destination blocked | address family mismatch
      | could not retrieve source address | could not contact mx | mxloopback | connection died | had no relevant answers
      | could not connect and send | destination computer could not be found | lookup failure | unable to resolve route
      | unroutable mail domain | unrouteable mail domain | able to establish an smtp connection | couldnt establish
      | could not establish | could not connect | couldnt connect | cannot connect | cant connect | failed to connect
      | unable to connect to … network | no route to host | network unreachable | network is unreachable
      | host unreachable | host is unreachable | host is down | network error | network problem | connection refused
      | connection lost | lost connection | connection aborted | connection closed | connection … failed
      | connection failure | connection error | unable to reach | couldnt reach | could not reach | cannot reach
      | not reachable | unreachable | name server | name service error | nameserver | dns failure | dns server
      | dns timeout | dns query | dns … failed | malformed or unexpected name server reply | host … isnt reachable
      | remote protocol error | delivery attempts to`,
    notStatus: ['4.7'],
  },
  {
    reason: 'takes-no-mail',
    says: `no mx found | no mx record | mx record not found | mx or srv record indicated no smtp service
      | no host found for existing smtp | does not accept mail | doesnt accept mail | not accepting mail | no smtp server
      | we do not accept mail | not accept any email | has no smtp | not accept mail from outside`,
  },
  {
    reason: 'expired',
    says: `queue expired | delivery failed … attempts | timed out | server did not respond | not responding
      | not delivered within | could not find a gateway | failing for a long time | delivery expired
      | failed to deliver to domain | not been collected | allowed queue period | could not be delivered for
      | not be delivered for more than | delivery attempts will continue | timeout | time out | retry timeout exceeded
      | envelope expired | message expired | expired | could not deliver for the last | couldnt deliver for the last
      | giving up | still undelivered | undelivered after | undeliverable for | retry time not reached | retries exceeded
      | too long | in the queue too long | delivery … delayed | delayed | deferred | unable to deliver this message after
      | has been … queue | too old | wasnt delivered … within | will be retried | will keep trying
      | not been delivered yet | time limit | lifetime | resources temporarily unavailable | been in the queue`,
  },
  {
    reason: 'security',
    says: `authentication required | authentication credentials | authentication failed | authentication is required
      | authrequired | authentication failure | dont authenticate | verification failure | dead domain
      | insecure mail relay | authentification | access denied | not authorized to | is not authorized`,
  },
  {
    reason: 'suppressed',
    says: 'suppression list | suppressed | previously bounced | previously unsubscribed | unsubscribed address',
  },
  {
    reason: 'mailer',
    says: `mailer error | bin procmail | bin maildrop | command output | procmail | exit status | exited with | exit code
      | return code | pipe to | pipe delivery | x unix | command died | command failed | child process
      | failed to read response template | procmail failed | program failure | operating system error | vacation program`,
  },
];
