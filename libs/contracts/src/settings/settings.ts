import { z } from 'zod';
import { code, count, digest, flag, id, instant, publicName, sealed } from '../fields.ts';

/** Scopes an API key may hold. A domain sending key holds `messages:write` alone: it can send, and read nothing. */
export const SCOPES = [
  'messages:write',
  'messages:read',
  'events:read',
  'domains:read',
  'domains:write',
  'keys:read',
  'keys:write',
  'account:read',
  'account:write',
  'suppressions:read',
  'suppressions:write',
  'lists:read',
  'lists:write',
  'templates:read',
  'templates:write',
  'privacy:read',
  'privacy:write',
  'users:read',
  'users:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What a session may hold besides: that it is one (`session`: what users do about themselves), and on the operator's side what whoever
 * runs the platform may do, or only look at.
 */
export const SESSION_SCOPES = [...SCOPES, 'session', 'operator', 'operator:read'] as const;
export type SessionScope = (typeof SESSION_SCOPES)[number];

/** The account of whoever runs the platform: it has users and nothing else. */
export const PLATFORM_ACCOUNT = '00000000-0000-7000-8000-000000000001';

/** How many recipients may be sent to in a day and in a month, in UTC; a limit that is not there is none. */
const quota = () => z.object({ day: count().optional(), month: count().optional() });
export type Quota = z.infer<ReturnType<typeof quota>>;

/** State of an account for everybody's local table: who may call (key hashes), and whether it may send. */
export const accountSettings = z.object({
  accountId: id(),
  /** A suspended account accepts and sends nothing and keeps its data. */
  state: code(['active', 'suspended']),
  /**
   * It is closed, and being erased by this request: it has no keys any more, is `suspended` besides, and has a tombstone once its
   * owner has erased it. `by`: the key that ordered it, or `operator`.
   */
  closing: z.object({ request: id(), at: instant(), by: id() }).optional(),
  /** Of a subaccount: whose it is. It sends only while that account may, and what it sends counts there, too. */
  parentId: id().optional(),
  quota: quota().optional(),
  /**
   * Days a body can be read and events are kept, of its domains that have not chosen (their own records say it, too) and of what is left
   * of domains that are gone. Records from before there was a choice have no such field: 7 and 30.
   */
  retention: z.object({ bodiesDays: count(), eventsDays: count() }).optional(),
  /** Of its domains that have no such list of their own. */
  allowedSenders: sealed('allowed-senders').optional(),
  keys: z.array(
    z.object({
      id: id(),
      /** SHA-256 (hex) of the whole API key, which holds 256 random bits. */
      hash: digest(),
      scopes: z.array(code(SCOPES)),
      /** Set for a domain sending key: valid for that domain alone. */
      domainId: id().optional(),
      expiresAt: instant().optional(),
    }),
  ),
  /** Of users who are signed in; records from before there were any have no such field. */
  sessions: z
    .array(
      z.object({
        id: id(),
        /** SHA-256 (hex) of the whole token, which holds 256 random bits. */
        hash: digest(),
        scopes: z.array(code(SESSION_SCOPES)),
        /** When its user showed what they sign in with; records from before it was told have no such field. */
        signedInAt: instant().optional(),
        /** Used after this, it is told to accounts, which lets it live on. */
        renewAt: instant(),
        /** Its end: of its idle time, or of all its time. */
        expiresAt: instant(),
      }),
    )
    .optional(),
});
export type AccountSettings = z.infer<typeof accountSettings>;

/** Whether an account accepts and sends; `find` knows the others. */
export function maySend(
  account: AccountSettings | undefined,
  find: (accountId: string) => AccountSettings | undefined,
): boolean {
  if (account?.state !== 'active') return false;
  return account.parentId === undefined || find(account.parentId)?.state === 'active';
}

const dkim = () => z.object({ selector: publicName(), privateKey: sealed('dkim-key') });

/** State of a sending domain. */
export const domainSettings = z.object({
  domainId: id(),
  accountId: id(),
  name: publicName(),
  state: code(['active', 'unverified', 'disabled']),
  dkim: dkim().nullable(),
  /** A second signature beside that of `dkim`, for who verifies Ed25519 (RFC 8463). */
  dkimEd25519: dkim().optional(),
  /** Days a body can be read, 0–7; 0 = shredded on final delivery. */
  bodiesDays: count(),
  /** 1, 3, 7, 14 or 30. */
  eventsDays: count(),
  /** How long delivery is tried; absent: as long as the platform says. */
  expirySeconds: count().optional(),
  /** Whether all mail of this domain goes over TLS or not at all; records from before there was a choice have no such field. */
  requireTls: flag().optional(),
  /** Whether its mail can be unsubscribed from by a link; records from before there was one have no such field. */
  unsubscribeTracking: flag().optional(),
  /** Whether whatever certificate is good enough for that. */
  skipVerification: flag().optional(),
  /** Who may hand mail in by SMTP for this domain; records from before there were any have no such field. */
  smtpCredentials: z.array(z.object({ id: id(), credential: sealed('smtp-credential') })).optional(),
  quota: quota().optional(),
  /** Who may stand in From; without it anybody. */
  allowedSenders: sealed('allowed-senders').optional(),
  /** Of a sandbox domain alone: the subjects it may send to, and nobody else. */
  sandbox: z.object({ recipients: z.array(id()) }).optional(),
});
export type DomainSettings = z.infer<typeof domainSettings>;

/** Why mail to a pseudonym is stopped: codes only, never an address or a reply text. Key: `suppressionKey(…)`. */
export const suppressionEntry = z.object({
  reasons: z.array(code(['bounce', 'complaint', 'unsubscribe', 'do-not-contact'])),
  at: instant(),
});
export type SuppressionEntry = z.infer<typeof suppressionEntry>;

/**
 * `pseudonym` is the vault's keyed hash in base64url; `scope` is the domain's id, or the account's for `do-not-contact`, which
 * an erasure leaves for all domains, also later ones.
 */
export const suppressionKey = (pseudonym: string, scope: string): string => `${pseudonym}:${scope}`;
