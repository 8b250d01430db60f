import { z } from 'zod';
import { count, digest, id, personal, personalMap, sealedPart } from './fields.ts';

/**
 * What is personal, one shape per kind of seal. A record seals everything about one subject once; other people of the
 * same message are `person` parts sealed under their own key, so that erasing one of them leaves the rest readable.
 */

/**
 * A recipient's envelope: sealed once, at the door, bound to `recordId(messageId, ordinal)`; it travels unopened in
 * `mail-accepted` and in every event about that recipient.
 */
export const envelope = sealedPart(
  'envelope',
  z.object({
    address: personal('address'),
    name: personal('name').optional(),
    subject: personal('content'),
    /** Value of the Message-ID field, without angle brackets: customers may set it, so it may name someone. */
    messageIdHeader: personal('content'),
    /** DKIM `bh=` of the accepted body (RFC 6376 §3.7). Sealed, because a plain hash of a body is residue. */
    bodyHash: personal('content-digest'),
    attachments: z.array(z.object({ filename: personal('content'), contentType: personal('content'), size: count() })),
    tags: z.array(personal('customer-typed')),
    variables: personalMap('customer-typed'),
    /** Of whom each gets a message of their own (role `each`): what stands for `%recipient.key%`. */
    recipientVariables: personalMap('customer-typed').optional(),
    /** The stored template it was made of, and what stood for its variables. */
    template: z
      .object({
        name: personal('customer-typed'),
        version: personal('customer-typed'),
        variables: personalMap('customer-typed'),
      })
      .optional(),
    /** Address of the client that handed the message in. */
    originatingIp: personal('network').optional(),
  }),
);
export type Envelope = z.infer<typeof envelope>;

/** Someone else in the message's header (sender, reply-to, other visible recipients), bound to the message id. */
export const person = sealedPart(
  'person',
  z.object({ address: personal('address'), name: personal('name').optional() }),
);
export type Person = z.infer<typeof person>;

/** What the receiving server said, bound to the event id; addresses are masked before sealing. */
export const reply = sealedPart('reply', z.object({ text: personal('reply'), mxHost: personal('network').optional() }));
export type Reply = z.infer<typeof reply>;

/** A domain's DKIM private key (PKCS #8 PEM), under the account's key, bound to the domain id. A secret, not a person. */
export const dkimKey = sealedPart('dkim-key', z.object({ privateKey: personal('customer-typed') }));
export type DkimKey = z.infer<typeof dkimKey>;

/**
 * Who may hand mail in by SMTP for a domain, under the account's key, bound to the credential's id. `login` is the part before
 * the @, in lower case: it can name someone. `hash` is what `verifyPassword` of `@lethe/service` reads.
 */
export const smtpCredential = sealedPart(
  'smtp-credential',
  z.object({ login: personal('customer-typed'), hash: personal('customer-typed') }),
);
export type SmtpCredential = z.infer<typeof smtpCredential>;

/** What a customer wants to stand below mail that can be unsubscribed from, under the account's key, bound to the domain id. */
export const unsubscribeFooter = sealedPart(
  'unsubscribe-footer',
  z.object({ html: personal('customer-typed').optional(), text: personal('customer-typed').optional() }),
);
export type UnsubscribeFooter = z.infer<typeof unsubscribeFooter>;

/** A suppression as its list shows it (mailgun-api §5), bound to its row's id. Standing: it lasts until removed. */
export const suppression = sealedPart(
  'suppression',
  z.object({ address: personal('address'), code: count(), error: personal('reply') }),
);
export type Suppression = z.infer<typeof suppression>;

/**
 * What an unsubscribe link says, bound to `recordId(messageId, ordinal)`: whose mail of which domain is to end. Standing: a link works as
 * long as the vault knows the person, which is at least 31 days after the last mail, and never after an erasure.
 */
export const unsubscribeLink = sealedPart(
  'unsubscribe-link',
  z.object({ address: personal('address'), domainId: id(), messageIdHeader: personal('content') }),
);
export type UnsubscribeLink = z.infer<typeof unsubscribeLink>;

/**
 * What only the requester of an erasure was told: the salts of the certificate's digests, in the order of the subjects.
 * Under the account's key for a day, so that the same `Idempotency-Key` gets the same answer; then nobody has them but them.
 */
export const receipt = sealedPart('receipt', z.object({ salts: z.array(personal('content-digest')) }));
export type Receipt = z.infer<typeof receipt>;

/** What a controller typed beside a request: a reference, a reason. Under the account's key, bound to `<request>/<field>`. */
export const requestText = sealedPart('request-text', z.object({ text: personal('customer-typed') }));
export type RequestText = z.infer<typeof requestText>;

/**
 * What a request with an `Idempotency-Key` was answered with: the Message-ID, without angle brackets, which a customer may have typed.
 * Under the account's key, bound to an id of its own; kept for a day.
 */
export const queuedMessage = sealedPart('queued-message', z.object({ messageIdHeader: personal('customer-typed') }));
export type QueuedMessage = z.infer<typeof queuedMessage>;

/** To whom an account may send from its sandbox domain, bound to its row's id. Standing: it lasts until removed. */
export const sandboxRecipient = sealedPart('sandbox-recipient', z.object({ address: personal('address') }));
export type SandboxRecipient = z.infer<typeof sandboxRecipient>;

/** A mailing list as its account made it, under the account's key, bound to the list's id. */
export const mailingList = sealedPart(
  'mailing-list',
  z.object({
    address: personal('customer-typed'),
    name: personal('customer-typed'),
    description: personal('customer-typed'),
  }),
);
export type MailingList = z.infer<typeof mailingList>;

/** A member of a mailing list, bound to `<list>/<subject>`. Standing: it lasts until it is removed. */
export const listMember = sealedPart(
  'list-member',
  z.object({ address: personal('address'), name: personal('name'), vars: personalMap('customer-typed') }),
);
export type ListMember = z.infer<typeof listMember>;
/**
 * Addresses and domains that may stand in From, in normal form, under the account's key, bound to the id of the domain or account
 * whose rule it is: addresses name people.
 */
export const allowedSenders = sealedPart('allowed-senders', z.object({ senders: z.array(personal('customer-typed')) }));
export type AllowedSenders = z.infer<typeof allowedSenders>;

/** What a parent calls its subaccount, under the subaccount's key, bound to its id. */
export const accountName = sealedPart('account-name', z.object({ name: personal('customer-typed') }));
export type AccountName = z.infer<typeof accountName>;

/** What an API key is for, in the words of whoever made it, under the account's key, bound to the key's id. */
export const keyDescription = sealedPart('key-description', z.object({ text: personal('customer-typed') }));
export type KeyDescription = z.infer<typeof keyDescription>;

/** Who has signed a written instruction, as whoever recorded it typed it, under the account's key, bound to the instruction's id. */
export const retentionInstruction = sealedPart(
  'retention-instruction',
  z.object({ signedBy: personal('customer-typed') }),
);
export type RetentionInstruction = z.infer<typeof retentionInstruction>;

/** Somebody who signs in, bound to the user's id. Standing: it lasts until the user is removed. */
export const user = sealedPart('user', z.object({ address: personal('address'), name: personal('name') }));
export type User = z.infer<typeof user>;

/**
 * What a user proves to be themselves with, bound to the user's id: the hash of the password they chose, as a PHC string; the secret of
 * their authenticator (RFC 6238) in Base32, and hashes of the recovery codes that are left.
 */
export const userSecrets = sealedPart(
  'user-secrets',
  z.object({
    password: personal('customer-typed'),
    totp: z.object({ secret: personal('customer-typed'), recovery: z.array(digest()) }).optional(),
  }),
);
export type UserSecrets = z.infer<typeof userSecrets>;

/** A stored template as its account made it, under the account's key, bound to the template's id. */
export const templateInfo = sealedPart(
  'template',
  z.object({
    name: personal('customer-typed'),
    description: personal('customer-typed'),
    createdBy: personal('customer-typed'),
  }),
);
export type TemplateInfo = z.infer<typeof templateInfo>;

/** What a version of a template says about itself, bound to the version's id. */
export const templateVersionInfo = sealedPart(
  'template-version',
  z.object({ tag: personal('customer-typed'), comment: personal('customer-typed') }),
);
export type TemplateVersionInfo = z.infer<typeof templateVersionInfo>;

/** What a version of a template renders, bound to the version's id. */
export const templateContent = sealedPart(
  'template-content',
  z.object({
    template: personal('customer-typed'),
    headers: z.object({
      From: personal('customer-typed').optional(),
      Subject: personal('customer-typed').optional(),
      'Reply-To': personal('customer-typed').optional(),
    }),
  }),
);
export type TemplateContent = z.infer<typeof templateContent>;

/** Record id an envelope is bound to. */
export const recordId = (messageId: string, ordinal: number): string => `${messageId}/${ordinal}`;
