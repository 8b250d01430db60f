import { Client } from 'pg';
import { CLOSED, VaultUnavailableError } from '../errors.ts';

const CHANNEL = 'vault_revocations';
/** How old the last answer may be for cached keys to be trusted (design §4). */
const TRUST_MS = 1000;
const PING_MS = 300;
const RECONNECT_MS = 200;
/** A question open for so long will not be answered: a new connection is made. */
const HUNG_MS = 2000;

/** `condemned`: a content key that only delivery may still read; `dropped`: all content keys of a drop time (ISO 8601). */
export type RevokedKind = 'account' | 'subject' | 'period' | 'message' | 'condemned' | 'dropped';

export interface RevocationHandlers {
  revoked: (kind: RevokedKind, id: string) => void;
  /** Revocations may have been missed: everything cached must go. */
  lapsed: () => void;
}

/**
 * Hears the vault's revocations on a connection of its own. Cached keys may be used only while that connection answered
 * within the last second, counted from when the question was sent: whatever was revoked before is known by then. And only while
 * the vault is open: what it is asked is that, so that nobody counts as healthy whom it would refuse every key.
 */
export class Revocations {
  private client: Client | undefined;
  private trustedUntil = 0;
  private closed = false;
  private shut = false;
  private timer: NodeJS.Timeout | undefined;
  private asked: { client: Client; at: number } | undefined;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly url: string,
    private readonly handlers: RevocationHandlers,
  ) {}

  /** Begins to listen; does not wait. It goes on trying until closed. */
  start(): void {
    void this.connect();
    this.timer = setInterval(() => void this.ping(), PING_MS);
    this.timer.unref();
  }

  /** True while cached keys may be used. Notices by itself that trust has run out. */
  trusted(): boolean {
    if (performance.now() < this.trustedUntil) return true;
    if (this.trustedUntil !== 0) {
      this.trustedUntil = 0;
      this.handlers.lapsed();
    }
    return false;
  }

  /** Whether the vault answered last that it is closed: its ledger has to be applied first. */
  vaultClosed(): boolean {
    return this.shut;
  }

  /** Waits until trust is (back) there, at most `patienceMs`; else VaultUnavailableError. */
  async regained(patienceMs: number): Promise<void> {
    if (this.trusted()) return;
    if (this.closed) throw new VaultUnavailableError('closed');
    void this.ping();
    await new Promise<void>((resolve, reject) => {
      const waiter = (): void => {
        clearTimeout(timeout);
        resolve();
      };
      const timeout = setTimeout(() => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        reject(new VaultUnavailableError(this.shut ? CLOSED : 'its revocations cannot be heard'));
      }, patienceMs);
      this.waiters.push(waiter);
    });
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.lose();
  }

  private async connect(): Promise<void> {
    if (this.closed) return;
    const client = new Client({
      connectionString: this.url,
      connectionTimeoutMillis: 2000,
      application_name: 'lethe-vault-revocations',
    });
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    client.on('notification', ({ payload }) => this.hear(payload));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.client = client;
      await this.ping();
    } catch {
      this.lose(client);
      destroy(client);
      setTimeout(() => void this.connect(), RECONNECT_MS).unref();
    }
  }

  private async ping(): Promise<void> {
    const client = this.client;
    if (client === undefined) return;
    if (this.asked?.client === client) {
      if (performance.now() - this.asked.at > HUNG_MS) this.lose(client);
      return;
    }
    const asked = { client, at: performance.now() };
    this.asked = asked;
    try {
      const { rows } = await client.query<{ open: boolean }>('select vault.is_open() as open');
      if (this.client !== client) return;
      this.shut = rows[0]?.open !== true;
      if (!this.shut) this.trust(asked.at);
      else if (this.trustedUntil !== 0) {
        this.trustedUntil = 0;
        this.handlers.lapsed();
      }
    } catch {
      this.lose(client);
    } finally {
      if (this.asked === asked) this.asked = undefined;
    }
  }

  private trust(sent: number): void {
    // A lapse that nobody asked about is noticed here, before trust is renewed.
    this.trusted();
    this.trustedUntil = sent + TRUST_MS;
    if (this.trusted()) for (const waiter of this.waiters.splice(0)) waiter();
  }

  /** Lets go of the connection, if `client` (where given) is still the one. */
  private lose(client = this.client): void {
    if (client === undefined || this.client !== client) return;
    this.client = undefined;
    this.trustedUntil = 0;
    this.handlers.lapsed();
    destroy(client);
    void this.connect();
  }

  private hear(payload: string | undefined): void {
    try {
      const { kind, id } = JSON.parse(payload ?? '') as { kind: RevokedKind; id: string };
      this.handlers.revoked(kind, id);
    } catch {
      // Not understood, so it may concern anything.
      this.handlers.lapsed();
    }
  }
}

/** Ends a connection whose other side may never answer again. */
function destroy(client: Client): void {
  client.removeAllListeners('notification');
  void client.end().catch(() => {});
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
