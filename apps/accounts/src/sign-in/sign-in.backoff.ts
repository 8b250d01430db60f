import { Injectable } from '@nestjs/common';
import { Database } from '@lethe/database';
import { ApiError, networkOf } from '@lethe/service';
import { UserVault } from '../users/user-vault.ts';

/** Mistakes that cost nothing: somebody types. Many people sit behind one network. */
const FREE = { login: 5, network: 20 };
/** Nobody can lock somebody out for longer, however often they try. */
const LONGEST_SECONDS = 900;

/** Whose password is tried. */
export interface Tried {
  /** Hash of the address. */
  login: string;
  /** As it was named: a right password of one account's user forgives nothing to who guesses at another's of the same address. */
  account: string | undefined;
}

/** An attempt that may be made; what it was charged to is forgiven where it succeeds. */
export interface Attempt {
  login: string;
  network: string;
  /** Of this login from this network. */
  pair: string;
}

/**
 * Before a password is looked at, the attempt counts as failed: attempts at once are counted as those one after the other. After some,
 * the next has to wait a second, and twice as long each further time; to come too early counts for nothing. Addresses nobody has are
 * counted as any. From where somebody signed in within a day they are counted apart, so that who guesses elsewhere does not keep them
 * out (OWASP's "device cookies", with the network as device).
 */
@Injectable()
export class SignInBackoff {
  constructor(
    private readonly database: Database,
    private readonly vault: UserVault,
  ) {}

  /** `address`: the client's. Throws ApiError 429. */
  async charge({ login: hash, account = '' }: Tried, address: string): Promise<Attempt> {
    const from = networkOf(address);
    // However its id is written.
    const whose = `${hash} ${account.toLowerCase()}`;
    const [network, login, pair] = await Promise.all([
      this.vault.hash('sign-in-network', from),
      this.vault.hash('sign-in-login', whose),
      this.vault.hash('sign-in-from', `${whose} ${from}`),
    ]);
    // First whom it cannot hurt: a network that has to wait counts against nobody else.
    await this.count(network, FREE.network);
    const counted = (await this.isKnown(pair)) ? pair : login;
    await this.count(counted, FREE.login);
    return { login: counted, network, pair };
  }

  /** The password was right. Of the network one failure less: whoever has a user of their own could else guess at others between. */
  async refund({ network }: Attempt): Promise<void> {
    const spent = `UPDATE sign_in_attempt SET failures = failures - 1, until = 'epoch' WHERE key = $1`;
    await this.database.pool.query(spent, [network]);
  }

  /** It was them. */
  async forgive({ login, pair }: Attempt): Promise<void> {
    const { pool } = this.database;
    await pool.query(`UPDATE sign_in_attempt SET failures = 0, until = 'epoch' WHERE key = $1`, [login]);
    await pool.query(
      `INSERT INTO sign_in_attempt AS a (key, failures, until, at) VALUES ($1, 0, 'epoch', now())
       ON CONFLICT (key) DO UPDATE SET at = now()`,
      [pair],
    );
  }

  private async count(key: string, free: number): Promise<void> {
    const { rowCount } = await this.database.pool.query(
      `INSERT INTO sign_in_attempt AS a (key, failures, until, at) VALUES ($1, 1, 'epoch', now())
       ON CONFLICT (key) DO UPDATE SET failures = least(a.failures, 1000) + 1, at = now(),
         until = CASE WHEN a.failures < $2 THEN 'epoch'
           ELSE now() + make_interval(secs => least(power(2, least(a.failures - $2, 20)), $3)) END
       WHERE a.until <= now()`,
      [key, free, LONGEST_SECONDS],
    );
    if (rowCount === 1) return;
    const { rows } = await this.database.pool.query<{ seconds: number }>(
      'SELECT ceil(extract(epoch FROM until - now()))::int AS seconds FROM sign_in_attempt WHERE key = $1',
      [key],
    );
    const retryAfterSeconds = Math.max(1, rows[0]?.seconds ?? 1);
    throw new ApiError(429, 'too many failed sign-ins: try again later', { retryAfterSeconds });
  }

  private async isKnown(pair: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query('SELECT FROM sign_in_attempt WHERE key = $1', [pair]);
    return rowCount === 1;
  }
}
