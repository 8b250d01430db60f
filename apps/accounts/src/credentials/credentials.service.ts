import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { SmtpCredential } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { EncodedRecord } from '@lethe/kafka';
import { ApiError, hashPassword, newPassword, Semaphore } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { EntityManager } from 'typeorm';
import type { Domain } from '../domains/domain.entity.ts';
import { ownDomain } from '../domains/own-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';
import { localPart } from './login.ts';
import { SmtpCredentialRow } from './smtp-credential.entity.ts';

/** All of a domain's credentials travel in one record, and each look-up opens them. */
const MAX_PER_DOMAIN = 100;
/** A slow hash holds a worker thread and 19 MiB. */
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 32;

/** A credential as lists show it. */
export interface KnownCredential {
  /** Full address. */
  login: string;
  createdAt: Date;
}

/**
 * SMTP credentials of a domain. Login and hash are sealed for the account, so they are found by opening all of the domain's:
 * there are few, and changes to one account wait for each other.
 */
@Injectable()
export class CredentialsService {
  private readonly hashing = new Semaphore(HASHES_AT_ONCE, HASHES_WAITING);

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly settings: SettingsPublisher,
  ) {}

  /** Oldest first. Throws ApiError 404 for a domain that is not the account's. */
  async list(caller: Identity, domainName: string): Promise<KnownCredential[]> {
    const { manager } = this.database.dataSource;
    const domain = await ownDomain(manager, caller, domainName);
    const opened = await this.openAll(manager, domain);
    return opened.map(({ row, login }) => ({ login: `${login}@${domain.name}`, createdAt: row.createdAt }));
  }

  /**
   * Answers the full login and, where none was chosen, the password made for it: the only moment it is known.
   * Throws ApiError 400 if the login is taken, or the domain has too many.
   */
  async create(
    caller: Identity,
    domainName: string,
    wish: { login: string; password?: string | undefined },
  ): Promise<{ login: string; password?: string }> {
    const login = loginOf(wish.login, domainName);
    const made = wish.password === undefined ? newPassword() : { hash: await this.hashed(wish.password) };
    await this.change(caller, domainName, async (manager, domain, known) => {
      if (known.some((one) => one.login === login)) {
        throw new ApiError(400, 'login: is taken already for this domain', { field: 'login' });
      }
      if (known.length >= MAX_PER_DOMAIN) {
        throw new ApiError(400, `login: a domain has at most ${MAX_PER_DOMAIN} credentials`, { field: 'login' });
      }
      const id = randomUUIDv7();
      const credential = await this.sealed(domain, id, { login, hash: made.hash });
      await manager.insert(SmtpCredentialRow, { id, accountId: domain.accountId, domainId: domain.id, credential });
    });
    const full = `${login}@${domainName}`;
    return 'password' in made ? { login: full, password: made.password } : { login: full };
  }

  /** Whoever is signed in with the old password is out within a second. Throws ApiError 404. */
  async changePassword(caller: Identity, domainName: string, login: string, password: string): Promise<void> {
    const hash = await this.hashed(password);
    await this.change(caller, domainName, async (manager, domain, known) => {
      const { row, login: local } = found(known, login, domainName);
      const credential = await this.sealed(domain, row.id, { login: local, hash });
      await manager.update(SmtpCredentialRow, { id: row.id }, { credential });
    });
  }

  /** Answers the full login. Throws ApiError 404. */
  remove(caller: Identity, domainName: string, login: string): Promise<string> {
    return this.change(caller, domainName, async (manager, _, known) => {
      const { row, login: local } = found(known, login, domainName);
      await manager.delete(SmtpCredentialRow, { id: row.id });
      return `${local}@${domainName}`;
    });
  }

  /** Answers how many there were. */
  removeAll(caller: Identity, domainName: string): Promise<number> {
    return this.change(caller, domainName, async (manager, domain, known) => {
      await manager.delete(SmtpCredentialRow, { domainId: domain.id });
      return known.length;
    });
  }

  /** A change of the domain's credentials, and the record that tells everybody. */
  private change<T>(
    caller: Identity,
    domainName: string,
    work: (manager: EntityManager, domain: Domain, known: OpenedCredential[]) => Promise<T>,
  ): Promise<T> {
    return this.settings.change(caller.account, async (manager, records: EncodedRecord[]) => {
      const domain = await ownDomain(manager, caller, domainName);
      const result = await work(manager, domain, await this.openAll(manager, domain));
      records.push(...(await this.settings.domain(manager, domain)));
      return result;
    });
  }

  private async openAll(manager: EntityManager, { id: domainId, accountId }: Domain): Promise<OpenedCredential[]> {
    const rows = await manager.find(SmtpCredentialRow, { where: { domainId }, order: { createdAt: 'ASC', id: 'ASC' } });
    return Promise.all(
      rows.map(async (row) => {
        const expected = { account: accountId, type: 'smtp-credential', recordId: row.id };
        const { login } = await this.vault.openForAccount<SmtpCredential>(row.credential, expected);
        return { row, login };
      }),
    );
  }

  private sealed({ accountId }: Domain, recordId: string, part: SmtpCredential): Promise<string> {
    return this.vault.sealForAccount(
      { account: accountId, period: 'standing', type: 'smtp-credential', recordId },
      part,
    );
  }

  private hashed(password: string): Promise<string> {
    return this.hashing.run(() => hashPassword(password));
  }
}

interface OpenedCredential {
  row: SmtpCredentialRow;
  /** Before the @. */
  login: string;
}

function loginOf(text: string, domainName: string): string {
  const local = localPart(text, domainName);
  if (local !== undefined) return local;
  throw new ApiError(400, 'login: must be a name of letters, digits and . _ + -, alone or with this domain', {
    field: 'login',
  });
}

function found(known: readonly OpenedCredential[], text: string, domainName: string): OpenedCredential {
  const local = localPart(text, domainName);
  const credential = known.find(({ login }) => login === local);
  if (!credential) throw new ApiError(404, 'Credentials not found');
  return credential;
}
