import { Injectable } from '@nestjs/common';
import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import type { User, UserSecrets } from '@lethe/contracts';
import { normalForm, parseAddress } from '@lethe/mail';
import { ApiError } from '@lethe/service';
import { FORGOTTEN, ForgottenError, Vault } from '@lethe/vault';
import type { UserRow } from './user.entity.ts';

type Owner = Pick<UserRow, 'id' | 'accountId' | 'subjectId'>;

/** What is known of users lies under their own keys; here it is sealed and opened. */
@Injectable()
export class UserVault {
  private platform: Promise<void> | undefined;

  constructor(private readonly vault: Vault) {}

  /** An address as hash (hex) that is the same for all accounts: who signs in says none. */
  async login(address: string): Promise<string> {
    return this.hash('sign-in', normalForm(address));
  }

  /** Other text, likewise; `purpose` keeps uses apart. */
  async hash(purpose: string, text: string): Promise<string> {
    await this.ensurePlatform();
    return (await this.vault.keyedHash(PLATFORM_ACCOUNT, purpose, text)).toString('hex');
  }

  /** A door: who is new to the account becomes a subject. Throws ApiError 503 while they are being erased. */
  async subject(account: string, address: string): Promise<string> {
    await this.ensurePlatform();
    return this.orLater(async () => ((await this.vault.subjectsFor(account, [normalForm(address)])) as [string])[0]);
  }

  /** Likewise. */
  sealPerson(owner: Owner, person: User): Promise<string> {
    return this.orLater(() => this.vault.seal({ ...sealOf(owner), type: 'user' }, person));
  }

  sealSecrets(owner: Owner, secrets: UserSecrets): Promise<string> {
    return this.orLater(() => this.vault.seal({ ...sealOf(owner), type: 'user-secrets' }, secrets));
  }

  /** In order; undefined for who is forgotten. */
  async people(rows: readonly UserRow[]): Promise<(User | undefined)[]> {
    const opened = await this.vault.openMany<User>(
      rows.map(({ id, accountId: account, person }) => ({
        jwe: person,
        expected: { account, type: 'user', recordId: id },
      })),
    );
    return opened.map((part) => (part === FORGOTTEN ? undefined : part));
  }

  /** Undefined: has chosen none, or is forgotten. */
  async secrets({ id, accountId: account, secrets }: UserRow): Promise<UserSecrets | undefined> {
    if (secrets === null) return undefined;
    const expected = { account, type: 'user-secrets', recordId: id };
    const [opened] = await this.vault.openMany<UserSecrets>([{ jwe: secrets, expected }]);
    return opened === FORGOTTEN ? undefined : opened;
  }

  private async orLater<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ForgottenError)) throw error;
      throw new ApiError(503, 'an erasure is under way: try again', { retryAfterSeconds: 2 });
    }
  }

  /** The platform's account has secrets of its own, made by whoever needs them first. */
  private ensurePlatform(): Promise<void> {
    this.platform ??= this.vault.ensureAccount(PLATFORM_ACCOUNT).catch((error: unknown) => {
      this.platform = undefined;
      throw error;
    });
    return this.platform;
  }
}

const sealOf = ({ id, accountId, subjectId }: Owner) =>
  ({ account: accountId, subject: subjectId, period: 'standing', recordId: id }) as const;

/** Throws ApiError 400. */
export function addressOf(email: string): string {
  const read = parseAddress(email, 'email');
  if (!read.ok) throw new ApiError(400, `email: ${read.refusal.message}`, { field: 'email' });
  return read.value.address;
}
