import type { UsedTemplate } from '../form/form.parser.ts';

/** Of one message; one that lists lead to more is kept and passed on as several. */
export const MAX_RECIPIENTS = 1_000;

/** A mailbox as the message names it. `normalForm` leads to the subject (design §4). */
export interface Mailbox {
  readonly address: string;
  readonly name?: string;
  readonly normalForm: string;
}

/** They share one message, and see each other but for `bcc`. */
export interface SharedRecipient extends Mailbox {
  readonly role: 'to' | 'cc' | 'bcc';
}

/** Each gets a message of their own, with what stands for `%recipient.key%` in it. */
export interface OwnRecipient extends Mailbox {
  readonly role: 'each';
  readonly variables: Readonly<Record<string, unknown>>;
  /** Of whoever comes from a list: who they were when it was read. */
  readonly subject?: string;
}

export type SubmissionRecipient = SharedRecipient | OwnRecipient;

export interface RelatedMailbox extends Mailbox {
  readonly role: 'from' | 'sender' | 'reply-to';
}

/** One message ready to be accepted, whichever door it came through. */
export interface Submission {
  /** CRLF-normalised RFC 5322 message, as it will be sent. */
  readonly raw: Buffer;
  /** Distinct by normal form; 1 to 1,000, with those of lists as many as `LIST_MAX_RECIPIENTS`. */
  readonly recipients: readonly SubmissionRecipient[];
  readonly related: readonly RelatedMailbox[];
  /** Normal forms of whom From and Sender name besides: asked about as the first is. 'unclear': not all of them can be read. */
  readonly otherAuthors?: readonly string[] | 'unclear';
  /** Others whom its To or Cc shows and who are not sent it: their erasure ends reading it, too. */
  readonly named?: ReadonlyArray<Mailbox & { readonly role: 'to' | 'cc' }>;
  readonly subject: string;
  /** Message-ID without angle brackets. */
  readonly messageIdHeader: string;
  readonly attachments: ReadonlyArray<{ filename: string; contentType: string; size: number }>;
  readonly tags: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly template?: UsedTemplate;
  readonly testMode: boolean;
  readonly dkim: boolean;
  readonly requireTls: boolean;
  /** Whether it can be unsubscribed from by a link; absent: as its domain says. */
  readonly unsubscribe?: boolean;
  readonly skipVerification?: boolean;
  /** Handed in with the null reverse-path: if it bounces, nobody is to hear of it by mail (RFC 5321 §4.5.5). */
  readonly nullSender?: boolean;
  /** When it is to be sent, epoch ms; absent or past: at once. */
  readonly deliverAt?: number;
  readonly method: 'http' | 'smtp';
  readonly keyId: string;
  readonly originatingIp?: string;
}

/**
 * The same for at most 1,000 recipients each. Whom the message shows is a recipient of the first alone: for the others they are
 * among those it names.
 */
export function inGroups(submission: Submission): Submission[] {
  const { recipients, named = [] } = submission;
  const shown = recipients.flatMap(({ role, address, name, normalForm }) =>
    role === 'to' || role === 'cc' ? [{ role, address, normalForm, ...(name === undefined ? {} : { name }) }] : [],
  );
  const groups: Submission[] = [];
  for (let from = 0; from < recipients.length; from += MAX_RECIPIENTS) {
    const group = { ...submission, recipients: recipients.slice(from, from + MAX_RECIPIENTS) };
    groups.push(from === 0 ? group : { ...group, named: [...named, ...shown] });
  }
  return groups;
}
