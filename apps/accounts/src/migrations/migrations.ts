import { AccountsKeysDomains1764072000000 } from './1764072000000-accounts-keys-domains.ts';
import { SmtpCredentials1764244800000 } from './1764244800000-smtp-credentials.ts';
import { DnsChecks1764331200000 } from './1764331200000-dns-checks.ts';
import { DomainOptions1764334800000 } from './1764334800000-domain-options.ts';
import { ConnectionTracking1764338400000 } from './1764338400000-connection-tracking.ts';
import { DkimKeys1764342000000 } from './1764342000000-dkim-keys.ts';
import { Sandbox1764345600000 } from './1764345600000-sandbox.ts';
import { LimitsSenders1764349200000 } from './1764349200000-limits-senders.ts';
import { Subaccounts1764352800000 } from './1764352800000-subaccounts.ts';
import { KeyDescription1764356400000 } from './1764356400000-key-description.ts';
import { MessageExpiry1764435600000 } from './1764435600000-message-expiry.ts';
import { SandboxApprovals1764439200000 } from './1764439200000-sandbox-approvals.ts';
import { Closing1764460800000 } from './1764460800000-closing.ts';
import { UsersSessions1764464400000 } from './1764464400000-users-sessions.ts';
import { Retention1764471600000 } from './1764471600000-retention.ts';
import { SecondFactor1764475200000 } from './1764475200000-second-factor.ts';
import { ProviderSignIn1764478800000 } from './1764478800000-provider-sign-in.ts';
import { Instructions1764482400000 } from './1764482400000-instructions.ts';
import { ChosenDays1764486000000 } from './1764486000000-chosen-days.ts';
import { EndedInstructions1764489600000 } from './1764489600000-ended-instructions.ts';

/** In order; each is applied once and never edited after a release. */
export const MIGRATIONS = [
  AccountsKeysDomains1764072000000,
  SmtpCredentials1764244800000,
  DnsChecks1764331200000,
  DomainOptions1764334800000,
  ConnectionTracking1764338400000,
  DkimKeys1764342000000,
  Sandbox1764345600000,
  LimitsSenders1764349200000,
  Subaccounts1764352800000,
  KeyDescription1764356400000,
  MessageExpiry1764435600000,
  SandboxApprovals1764439200000,
  Closing1764460800000,
  UsersSessions1764464400000,
  Retention1764471600000,
  SecondFactor1764475200000,
  ProviderSignIn1764478800000,
  Instructions1764482400000,
  ChosenDays1764486000000,
  EndedInstructions1764489600000,
];
