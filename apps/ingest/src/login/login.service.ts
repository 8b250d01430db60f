import { Injectable } from '@nestjs/common';
import type { DomainSettings, SmtpCredential } from '@lethe/contracts';
import { canonicalDomain } from '@lethe/mail';
import { ApiError, isFastHash, metrics, Semaphore, verifyPassword } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { SendingDomains } from '../settings/sending.domains.ts';
import { LoginBackoff } from './login.backoff.ts';
import { VerifiedLogins } from './verified.logins.ts';

/** A slow hash holds a worker thread and 19 MiB; file system and DNS need threads, too. */
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 64;

const logins = metrics.counter('mail.smtp.logins', { outcome: ['accepted', 'refused', 'delayed'] });

/** Who is signed in: the credential as it was then. */
export interface Login {
  readonly accountId: string;
  readonly domainId: string;
  readonly credentialId: string;
  /** Sealed; another one means that the password was changed. */
  readonly credential: string;
}

/** Who may hand mail in by SMTP, from the table of `accounts`: nobody is asked on the way. */
@Injectable()
export class LoginService {
  private readonly verified = new VerifiedLogins();
  private readonly hashing = new Semaphore(HASHES_AT_ONCE, HASHES_WAITING);

  constructor(
    private readonly domains: SendingDomains,
    private readonly vault: Vault,
    private readonly backoff: LoginBackoff,
  ) {}

  /**
   * `username`: the full login. `address`: the client's. Undefined if login or password are wrong.
   * @throws ApiError 429 for an address that has to wait, 503 while nobody can say; nothing was looked at.
   */
  async signIn(username: string, password: string, address: string): Promise<Login | undefined> {
    const login = await this.find(username);
    if (login && this.verified.has(login.credentialId, login.credential, password)) return accepted(login);
    const retryAfterSeconds = this.backoff.waitSeconds(address);
    if (retryAfterSeconds > 0) {
      logins.add(1, { outcome: 'delayed' });
      throw new ApiError(429, 'too many failed logins: try again later', { retryAfterSeconds });
    }
    if (login && (await this.verify(password, login.hash))) {
      this.verified.add(login.credentialId, login.credential, password);
      return accepted(login);
    }
    this.backoff.failed(address);
    logins.add(1, { outcome: 'refused' });
    return undefined;
  }

  /** Whether the credential is still what it was when somebody signed in with it. @throws ApiError 503 while unsure. */
  stands({ accountId, domainId, credentialId, credential }: Login): boolean {
    const current = this.domains.of({ account: accountId, domain: domainId }).smtpCredentials ?? [];
    return current.some((one) => one.id === credentialId && one.credential === credential);
  }

  private async find(username: string): Promise<(Login & { hash: string }) | undefined> {
    const at = username.lastIndexOf('@');
    const domain = this.domains.named(canonicalDomain(username.slice(at + 1)) ?? '');
    // Of a closed account no login is one, though its domains may still be known.
    if (at < 1 || !domain || this.domains.account(domain.accountId)?.closing) return undefined;
    const opened = await this.openAll(domain);
    const wanted = username.slice(0, at).toLowerCase();
    return opened.find(({ login }) => login === wanted);
  }

  private openAll({ accountId, domainId, smtpCredentials = [] }: DomainSettings) {
    return Promise.all(
      smtpCredentials.map(async ({ id, credential }) => {
        const expected = { account: accountId, type: 'smtp-credential', recordId: id };
        const opened = await this.vault.openForAccount<SmtpCredential>(credential, expected);
        return { accountId, domainId, credentialId: id, credential, ...opened };
      }),
    );
  }

  private verify(password: string, hash: string): Promise<boolean> {
    return isFastHash(hash) ? verifyPassword(password, hash) : this.hashing.run(() => verifyPassword(password, hash));
  }
}

function accepted({ accountId, domainId, credentialId, credential }: Login): Login {
  logins.add(1, { outcome: 'accepted' });
  return { accountId, domainId, credentialId, credential };
}
