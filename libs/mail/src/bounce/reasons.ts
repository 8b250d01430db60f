/** Who can do something about it. */
export type Fault = 'recipient' | 'sender' | 'provider' | 'network' | 'nobody';

export interface ReasonMeaning {
  /** Nobody should write there again, unless the failure itself is a passing one. */
  hard: boolean;
  fault: Fault;
  /** What an operator does. */
  todo: string;
  /** The name sisimai's collection of labelled bounces has for it (`labels.tsv`). */
  label: string;
}

/** Every reason we know, what it means, and the one table from our names to the corpus' labels. */
const meanings = {
  'unknown-user': {
    hard: true,
    fault: 'recipient',
    todo: 'Do not write there again: the mailbox does not exist',
    label: 'userunknown',
  },
  'unknown-host': {
    hard: true,
    fault: 'recipient',
    todo: 'Do not write there again: the domain does not exist',
    label: 'hostunknown',
  },
  moved: {
    hard: true,
    fault: 'recipient',
    todo: 'Do not write there again: the mailbox has moved or changed hands',
    label: 'hasmoved',
  },
  'takes-no-mail': {
    hard: true,
    fault: 'recipient',
    todo: 'Do not write there again: the domain takes no mail',
    label: 'notaccept',
  },
  'mailbox-full': {
    hard: false,
    fault: 'recipient',
    todo: 'Try again in some days: the mailbox is full',
    label: 'mailboxfull',
  },
  disabled: {
    hard: false,
    fault: 'recipient',
    todo: 'Write less often, then stop: the mailbox is disabled for now',
    label: 'suspend',
  },
  filtered: {
    hard: false,
    fault: 'recipient',
    todo: 'Ask the recipient: it was refused by their rules, or only after the message was sent',
    label: 'filtered',
  },
  'too-large-for-recipient': {
    hard: false,
    fault: 'sender',
    todo: 'Send less: the message is over the recipient’s limit',
    label: 'exceedlimit',
  },
  'too-large': {
    hard: false,
    fault: 'sender',
    todo: 'Send less: the message is over the server’s limit',
    label: 'mesgtoobig',
  },
  'sender-refused': {
    hard: false,
    fault: 'sender',
    todo: 'Check the sender’s address and its domain: the server refuses them',
    label: 'rejected',
  },
  listed: {
    hard: false,
    fault: 'sender',
    todo: 'Find out why the sending address is on the blocklist, then ask to be taken off',
    label: 'blocked',
  },
  blocked: {
    hard: false,
    fault: 'sender',
    todo: 'Ask the provider why it blocks the sending address',
    label: 'blocked',
  },
  greylisted: { hard: false, fault: 'nobody', todo: 'Nothing: it is tried again', label: 'blocked' },
  reputation: {
    hard: false,
    fault: 'sender',
    todo: 'Send less and only wanted mail until the reputation is better',
    label: 'badreputation',
  },
  'no-reverse-dns': {
    hard: false,
    fault: 'sender',
    todo: 'Give the sending address a PTR record that points back (RFC 1912 2.1)',
    label: 'requireptr',
  },
  unauthenticated: {
    hard: false,
    fault: 'sender',
    todo: 'Mend SPF, DKIM or DMARC of the sender’s domain',
    label: 'authfailure',
  },
  policy: {
    hard: false,
    fault: 'sender',
    todo: 'Read the provider’s policy that the reply names',
    label: 'policyviolation',
  },
  security: {
    hard: false,
    fault: 'sender',
    todo: 'Read the reply: the server asks for a right we lack',
    label: 'securityerror',
  },
  spam: { hard: false, fault: 'sender', todo: 'Look at the content: it was taken for spam', label: 'spamdetected' },
  virus: {
    hard: false,
    fault: 'sender',
    todo: 'Look at the attachments: a scanner found something',
    label: 'virusdetected',
  },
  content: {
    hard: false,
    fault: 'sender',
    todo: 'Look at the content: the server cannot take it',
    label: 'contenterror',
  },
  malformed: { hard: false, fault: 'sender', todo: 'Mend the header: it breaks RFC 5322', label: 'notcompliantrfc' },
  'too-fast': { hard: false, fault: 'sender', todo: 'Send slower to this mailbox', label: 'speeding' },
  'rate-limited': {
    hard: false,
    fault: 'sender',
    todo: 'Use fewer connections, recipients and messages at once',
    label: 'toomanyconn',
  },
  'relaying-denied': {
    hard: false,
    fault: 'provider',
    todo: 'Check the MX record: the server does not know the domain as its own',
    label: 'norelaying',
  },
  protocol: {
    hard: false,
    fault: 'sender',
    todo: 'Look at the SMTP session: a command was refused',
    label: 'syntaxerror',
  },
  tls: { hard: false, fault: 'provider', todo: 'Look at the TLS of the session', label: 'failedstarttls' },
  dns: {
    hard: false,
    fault: 'network',
    todo: 'Look the domain up: its name servers gave no usable answer',
    label: 'networkerror',
  },
  network: {
    hard: false,
    fault: 'network',
    todo: 'Wait, or look at the route: the server was not reached',
    label: 'networkerror',
  },
  loop: {
    hard: false,
    fault: 'provider',
    todo: 'Tell the provider: the message goes in circles',
    label: 'networkerror',
  },
  expired: {
    hard: false,
    fault: 'network',
    todo: 'Send it again later: the time for delivery ran out',
    label: 'expired',
  },
  'system-full': {
    hard: false,
    fault: 'provider',
    todo: 'Wait: the server has no room or is too busy',
    label: 'systemfull',
  },
  system: {
    hard: false,
    fault: 'provider',
    todo: 'Wait, or tell the provider: the server has an error',
    label: 'systemerror',
  },
  mailer: {
    hard: false,
    fault: 'provider',
    todo: 'Tell the provider: the program behind the mailbox failed',
    label: 'mailererror',
  },
  suppressed: { hard: false, fault: 'sender', todo: 'Look at the relay’s own suppression list', label: 'suppressed' },
  delivered: { hard: false, fault: 'nobody', todo: 'Nothing: it was delivered', label: 'delivered' },
  complaint: { hard: false, fault: 'sender', todo: 'Stop writing to who complained', label: 'feedback' },
  unsubscribe: { hard: false, fault: 'nobody', todo: 'Stop writing to who asks for it', label: 'feedback' },
  'auto-reply': { hard: false, fault: 'nobody', todo: 'Nothing: somebody is away', label: 'vacation' },
  unclear: { hard: false, fault: 'nobody', todo: 'Read the reply: no rule knows it', label: 'onhold' },
  unsaid: { hard: false, fault: 'nobody', todo: 'Nothing is known: the report gives no reason', label: 'undefined' },
} as const satisfies Record<string, ReasonMeaning>;

export type BounceReason = keyof typeof meanings;

export const REASONS: Readonly<Record<BounceReason, ReasonMeaning>> = meanings;
