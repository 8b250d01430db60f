import type { SmtpConnection } from './smtp-connection.ts';

/** Too much waits for this exchanger already: the caller comes back later instead of holding a place for others. */
export class ExchangerBusy extends Error {
  override readonly name = 'ExchangerBusy';
}

/** Made once: under load it is thrown often, and nobody reads where. */
export const BUSY = new ExchangerBusy();

interface Waiter {
  resolve: (connection: SmtpConnection) => void;
  reject: (error: unknown) => void;
  /** Monotonic, in milliseconds. */
  since: number;
}

/** What a session is held for by one message, until it is known, in milliseconds. */
const UNKNOWN_HOLD_MS = 250;

/** Sessions with one exchanger, and who waits for one. */
export class Exchanger {
  readonly idle: SmtpConnection[] = [];
  readonly waiting: Waiter[] = [];
  open = 0;
  /** A TLS handshake failed there; clear text until then (RFC 7435: opportunistic). */
  clearUntil = 0;
  /** Sessions held by a message, or being opened, and since when. */
  private readonly held = new Map<object, number>();
  private usualHold: number | undefined;

  taken(session: object): void {
    this.held.set(session, performance.now());
  }

  givenBack(session: object): void {
    const since = this.held.get(session);
    if (since === undefined) return;
    const hold = performance.now() - since;
    this.usualHold = this.usualHold === undefined ? hold : 0.9 * this.usualHold + 0.1 * hold;
    this.held.delete(session);
  }

  leave(session: object): void {
    this.held.delete(session);
  }

  /**
   * How long one more would wait, in milliseconds: a session comes back after the usual time, or, if it is overdue, hardly
   * before it has been away for as long again.
   */
  expectedWait(): number {
    const now = performance.now();
    const usual = this.usualHold ?? UNKNOWN_HOLD_MS;
    let perMs = 0;
    for (const since of this.held.values()) perMs += 1 / Math.max(usual, now - since, 0.1);
    return perMs === 0 ? 0 : (this.waiting.length + 1) / perMs;
  }

  /** Sends away who has waited too long after all. */
  dismiss(waitMs: number): void {
    const before = performance.now() - waitMs;
    while ((this.waiting[0]?.since ?? Infinity) < before) this.waiting.shift()?.reject(BUSY);
  }
}
