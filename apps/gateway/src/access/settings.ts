import { domainToASCII } from 'node:url';
import { Injectable } from '@nestjs/common';
import { ACCOUNT_SETTINGS, DOMAIN_SETTINGS } from '@lethe/contracts';
import type { AccountSettings, DomainSettings, SessionScope } from '@lethe/contracts';
import { InjectTable, LocalTable } from '@lethe/kafka';
import type { TableIndex } from '@lethe/kafka';

/** What lets somebody in: an API key, or a user's session, which belongs to no domain. */
export interface KnownKey {
  account: AccountSettings;
  key: {
    id: string;
    scopes: readonly SessionScope[];
    domainId?: string | undefined;
    expiresAt?: number | undefined;
    /** Of a session: when it began. */
    signedInAt?: number | undefined;
    /** Of a session: in use after this, it is told to accounts. */
    renewAt?: number;
  };
}

/** What the door knows of accounts and domains, from the tables that accounts keeps up to date. */
@Injectable()
export class Settings {
  private readonly byKeyHash: TableIndex<typeof ACCOUNT_SETTINGS>;
  private readonly bySessionHash: TableIndex<typeof ACCOUNT_SETTINGS>;
  private readonly byName: TableIndex<typeof DOMAIN_SETTINGS>;

  constructor(
    @InjectTable(ACCOUNT_SETTINGS) private readonly accounts: LocalTable<typeof ACCOUNT_SETTINGS>,
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
  ) {
    this.byKeyHash = accounts.index(({ keys }) => keys.map(({ hash }) => hash));
    this.bySessionHash = accounts.index(({ sessions }) => (sessions ?? []).map(({ hash }) => hash));
    this.byName = domains.index(({ name }) => [name]);
  }

  /** False: what is in the tables may be out of date, so nobody can be let in. */
  usable(): boolean {
    return this.accounts.fresh && this.domains.fresh;
  }

  /**
   * Looked up by the SHA-256 of the given secret: what the time of a look-up tells is about a hash nobody can steer, so
   * it gives nothing of a key away.
   */
  key(hash: string): KnownKey | undefined {
    const account = this.byKeyHash.get(hash);
    const key = account?.keys.find((candidate) => candidate.hash === hash);
    return account && key ? { account, key } : undefined;
  }

  /** Likewise: a session's token has as many random bits as a key. */
  session(hash: string): KnownKey | undefined {
    const account = this.bySessionHash.get(hash);
    const session = account?.sessions?.find((candidate) => candidate.hash === hash);
    return account && session ? { account, key: session } : undefined;
  }

  /** The account of that id, if it is a subaccount of the other, and not closed. */
  subaccount(id: string, parentId: string): AccountSettings | undefined {
    const account = this.accounts.get(id);
    return account?.parentId === parentId && !account.closing ? account : undefined;
  }

  /** By a decoded path segment; names are compared in lower case and IDNA form (RFC 5891). */
  domain(segment: string): DomainSettings | undefined {
    const known = this.byName.get(segment);
    // The URL parser behind domainToASCII would take `a.example` out of `a.example/b`.
    return known ?? (/[/?#%\\]/.test(segment) ? undefined : this.byName.get(domainToASCII(segment)));
  }
}
