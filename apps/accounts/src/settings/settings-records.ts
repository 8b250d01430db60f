import type { AccountSettings, DomainSettings, Quota } from '@lethe/contracts';
import type { Account } from '../accounts/account.entity.ts';
import type { SmtpCredentialRow } from '../credentials/smtp-credential.entity.ts';
import type { DkimKeyRow } from '../dkim/dkim-key.entity.ts';
import type { Algorithm } from '../dkim/dkim-key-pair.ts';
import { signingKey } from '../dkim/signing.policy.ts';
import type { Domain } from '../domains/domain.entity.ts';
import type { ApiKey } from '../keys/api-key.entity.ts';
import { ROLES } from '../keys/roles.ts';
import type { SessionRow } from '../sessions/session.entity.ts';
import { scopesOf } from '../users/user-roles.ts';
import type { UserRow } from '../users/user.entity.ts';
import type { SandboxRecipientRow } from '../sandbox/sandbox-recipient.entity.ts';

/** Of somebody who is signed in. */
export type LiveSession = SessionRow & { user: UserRow };

/** The whole of an account as others see it: a record replaces the one before. */
export function accountSettingsOf(account: Account, keys: ApiKey[], sessions: LiveSession[]): AccountSettings {
  const { closingRequest: request, closedAt, closedBy: by } = account;
  const closing = request !== null && closedAt !== null && by !== null && { request, at: closedAt.getTime(), by };
  return {
    accountId: account.id,
    state: account.state === 'active' && !account.disabled ? 'active' : 'suspended',
    ...(closing && { closing }),
    ...(account.parentId === null ? {} : { parentId: account.parentId }),
    ...quotaOf(account.dayLimit, account.monthLimit, account.ownMonthLimit),
    retention: { bodiesDays: account.bodiesDays, eventsDays: account.eventsDays },
    ...sendersOf(account),
    // Nobody acts for a closed account any more, from the moment this is read.
    keys: (closing ? [] : keys).map(({ id, hash, role, domainId, expiresAt }) => ({
      id,
      hash,
      scopes: [...ROLES[role]],
      ...(domainId === null ? {} : { domainId }),
      ...(expiresAt === null ? {} : { expiresAt: expiresAt.getTime() }),
    })),
    sessions: (closing ? [] : sessions).map(({ id, hash, limited, createdAt, renewAt, idleAt, expiresAt, user }) => ({
      id,
      hash,
      scopes: scopesOf(user.role, limited),
      signedInAt: createdAt.getTime(),
      renewAt: renewAt.getTime(),
      expiresAt: Math.min(idleAt.getTime(), expiresAt.getTime()),
    })),
  };
}

/** Likewise the whole of a domain. */
export function domainSettingsOf(
  domain: Domain,
  keys: DkimKeyRow[],
  credentials: SmtpCredentialRow[],
  approved: SandboxRecipientRow[],
): DomainSettings {
  const signing = (algorithm: Algorithm) => {
    const key = signingKey(keys, algorithm);
    return key ? { selector: key.selector, privateKey: key.privateKey } : undefined;
  };
  const beside = signing('ed25519');
  return {
    domainId: domain.id,
    accountId: domain.accountId,
    name: domain.name,
    state: domain.state,
    dkim: signing('rsa') ?? null,
    ...(beside ? { dkimEd25519: beside } : {}),
    bodiesDays: domain.bodiesDays,
    eventsDays: domain.eventsDays,
    ...(domain.expirySeconds === null ? {} : { expirySeconds: domain.expirySeconds }),
    requireTls: domain.requireTls,
    unsubscribeTracking: domain.unsubscribeTracking,
    skipVerification: domain.skipVerification,
    smtpCredentials: credentials.map(({ id, credential }) => ({ id, credential })),
    ...quotaOf(domain.dayLimit, domain.monthLimit),
    ...sendersOf(domain),
    ...(domain.sandbox ? { sandbox: { recipients: approved.map(({ subjectId }) => subjectId) } } : {}),
  };
}

/** Of several limits of a month the lowest counts. */
function quotaOf(day: number | null, ...months: (number | null)[]): { quota?: Quota } {
  const month = Math.min(...months.map((limit) => limit ?? Number.POSITIVE_INFINITY));
  if (day === null && month === Number.POSITIVE_INFINITY) return {};
  return { quota: { ...(day === null ? {} : { day }), ...(Number.isFinite(month) ? { month } : {}) } };
}

const sendersOf = ({ allowedSenders }: Pick<Account, 'allowedSenders'>): { allowedSenders?: string } =>
  allowedSenders === null ? {} : { allowedSenders };
