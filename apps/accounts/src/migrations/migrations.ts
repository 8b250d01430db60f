import { AccountsKeysDomains1764072000000 } from './1764072000000-accounts-keys-domains.ts';

/** In order; each is applied once and never edited after a release. */
export const MIGRATIONS = [AccountsKeysDomains1764072000000];
