import { BUSY, Exchanger } from './exchanger.ts';
import { SmtpConnection } from './smtp-connection.ts';
import { SmtpBroken } from './smtp-error.ts';
import type { SmtpOptions, SmtpTarget } from './smtp-options.ts';

export interface PoolLimits {
  /** Sessions to one exchanger at once. */
  perExchanger: number;
  /** Sessions in all. */
  total: number;
  /** Deliveries that may wait for a session to one exchanger; more are refused with ExchangerBusy. */
  waitingPerExchanger: number;
  /** Whoever would wait longer than this for a session is refused, too: a slow exchanger holds few places, a fast one many. */
  waitMs: number;
  /** Messages over one session; then it is closed. */
  messagesPerConnection: number;
  idleMs: number;
}

const CLEAR_TEXT_MS = 3_600_000;

/** Sessions of this process, by exchanger, kept open between messages. Bounded in every direction. */
export class SmtpPool {
  private readonly exchangers = new Map<string, Exchanger>();
  private readonly homes = new WeakMap<SmtpConnection, Exchanger>();
  private total = 0;
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly options: SmtpOptions,
    private readonly limits: PoolLimits,
  ) {
    this.sweeper = setInterval(() => this.sweep(), Math.max(50, Math.min(limits.idleMs, limits.waitMs) / 4));
    this.sweeper.unref();
  }

  get connections(): number {
    return this.total;
  }

  /**
   * A session to the target, an open one if there is one. Give it back with `release`.
   * Throws SmtpBroken or SmtpRefused when it cannot be opened, ExchangerBusy when too many wait.
   */
  async acquire(target: SmtpTarget): Promise<SmtpConnection> {
    const exchanger = this.exchanger(target);
    for (let idle = exchanger.idle.pop(); idle !== undefined; idle = exchanger.idle.pop()) {
      if (!idle.usable) continue;
      exchanger.taken(idle);
      return idle;
    }
    if (exchanger.open < this.limits.perExchanger && this.makeRoom()) return this.open(exchanger, target);
    if (
      exchanger.open === 0 ||
      exchanger.waiting.length >= this.limits.waitingPerExchanger ||
      exchanger.expectedWait() > this.limits.waitMs
    ) {
      throw BUSY;
    }
    return new Promise((resolve, reject) => exchanger.waiting.push({ resolve, reject, since: performance.now() }));
  }

  release(connection: SmtpConnection): void {
    const exchanger = this.homes.get(connection);
    exchanger?.givenBack(connection);
    if (!connection.usable) return;
    if (connection.messages >= this.limits.messagesPerConnection) {
      connection.quit();
      return;
    }
    const next = exchanger?.waiting.shift();
    if (next) {
      exchanger?.taken(connection);
      next.resolve(connection);
      return;
    }
    connection.idleSince = Date.now();
    exchanger?.idle.push(connection);
  }

  close(): void {
    clearInterval(this.sweeper);
    for (const exchanger of this.exchangers.values()) {
      for (const { reject } of exchanger.waiting.splice(0)) reject(BUSY);
      for (const connection of exchanger.idle.splice(0)) connection.quit();
    }
  }

  private exchanger({ address, port, tls, proof, login }: SmtpTarget): Exchanger {
    const key = `${address} ${port} ${tls} ${proof?.id ?? ''} ${login?.username ?? ''}`;
    let exchanger = this.exchangers.get(key);
    if (exchanger === undefined) this.exchangers.set(key, (exchanger = new Exchanger()));
    return exchanger;
  }

  private async open(exchanger: Exchanger, target: SmtpTarget): Promise<SmtpConnection> {
    exchanger.open += 1;
    this.total += 1;
    const opening = {};
    exchanger.taken(opening);
    try {
      const connection = await this.connect(exchanger, target);
      this.homes.set(connection, exchanger);
      exchanger.taken(connection);
      connection.onClose = () => {
        const at = exchanger.idle.indexOf(connection);
        if (at !== -1) exchanger.idle.splice(at, 1);
        exchanger.leave(connection);
        this.closed(exchanger, target);
      };
      return connection;
    } catch (error) {
      // Nothing is open there and nothing can be: who waits need not find that out one after the other.
      if (exchanger.open === 1) for (const { reject } of exchanger.waiting.splice(0)) reject(error);
      this.closed(exchanger, target);
      throw error;
    } finally {
      exchanger.leave(opening);
    }
  }

  private async connect(exchanger: Exchanger, target: SmtpTarget): Promise<SmtpConnection> {
    const clear = target.tls === 'opportunistic' && Date.now() < exchanger.clearUntil;
    try {
      return await SmtpConnection.open(clear ? { ...target, tls: 'never' } : target, this.options);
    } catch (error) {
      const handshake = error instanceof SmtpBroken && error.at === 'tls' && target.tls === 'opportunistic';
      if (!handshake || clear) throw error;
      exchanger.clearUntil = Date.now() + CLEAR_TEXT_MS;
      return SmtpConnection.open({ ...target, tls: 'never' }, this.options);
    }
  }

  /** A place came free: who waits longest gets a session of its own. */
  private closed(exchanger: Exchanger, target: SmtpTarget): void {
    exchanger.open -= 1;
    this.total -= 1;
    const next = exchanger.waiting.shift();
    if (next) this.open(exchanger, target).then(next.resolve, next.reject);
  }

  /** Below the total, or an idle session elsewhere can go. */
  private makeRoom(): boolean {
    if (this.total < this.limits.total) return true;
    for (const exchanger of this.exchangers.values()) {
      const idle = exchanger.idle.shift();
      if (idle) {
        idle.quit();
        return true;
      }
    }
    return false;
  }

  private sweep(): void {
    const before = Date.now() - this.limits.idleMs;
    for (const [key, exchanger] of this.exchangers) {
      exchanger.dismiss(this.limits.waitMs);
      for (const connection of exchanger.idle.filter(({ idleSince }) => idleSince < before)) connection.quit();
      if (exchanger.open === 0 && exchanger.waiting.length === 0 && exchanger.clearUntil < Date.now()) {
        this.exchangers.delete(key);
      }
    }
  }
}
