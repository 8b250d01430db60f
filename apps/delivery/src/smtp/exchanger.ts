import type { Site } from './site.ts';
import type { SmtpConnection } from './smtp-connection.ts';
import type { SmtpTarget } from './smtp-options.ts';

const BACK_MS = 500;
const LONGEST_BACK_MS = 10_000;

/** Too much waits for this exchanger already: the caller comes back later instead of holding a place for others. */
export class ExchangerBusy extends Error {
  override readonly name = 'ExchangerBusy';
  /** The whole site is let alone until then. */
  readonly paused: boolean;
  /** Nobody answers there, or none of our addresses may speak to it now: another exchanger may do. */
  readonly unreachable: boolean;

  constructor(
    /** When to come back, in milliseconds. */
    readonly afterMs = BACK_MS,
    { paused = false, unreachable = false }: { paused?: boolean; unreachable?: boolean } = {},
  ) {
    super('The exchanger is busy');
    this.paused = paused;
    this.unreachable = unreachable;
  }
}

export interface Waiter {
  target: SmtpTarget;
  resolve: (connection: SmtpConnection) => void;
  reject: (error: unknown) => void;
  /** Monotonic, in milliseconds. */
  since: number;
}

/** What a session is held for by one message, until it is known, in milliseconds. */
const UNKNOWN_HOLD_MS = 250;

/** Sessions with one exchanger, and who waits for one. */
export class Exchanger {
  /** Taken from the end: who is used seldom ends. */
  private readonly idle: SmtpConnection[] = [];
  private readonly waiting: Waiter[] = [];
  open = 0;
  /** Who asks for a slot just now. */
  coming = 0;
  /** A TLS handshake failed there; clear text until then (RFC 7435: opportunistic). */
  clearUntil = 0;
  /** Sessions held by a message, or being opened, and since when. */
  private readonly held = new Map<object, number>();
  private usualHold: number | undefined;
  /** When the last one that could not wait was told to come back. */
  private backAt = 0;

  constructor(readonly site: Site) {
    site.exchangers += 1;
  }

  get inUse(): boolean {
    return this.open + this.coming + this.waiting.length > 0;
  }

  get waits(): number {
    return this.waiting.length;
  }

  /** Monotonic, in milliseconds. */
  get waitsSince(): number {
    return this.waiting[0]?.since ?? Infinity;
  }

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

  addIdle(session: SmtpConnection): void {
    session.idleSince = Date.now();
    this.idle.push(session);
    this.site.idle.add(session);
  }

  takeIdle(): SmtpConnection | undefined {
    for (let idle = this.idle.pop(); idle !== undefined; idle = this.idle.pop()) {
      this.site.idle.delete(idle);
      if (!idle.usable) continue;
      this.taken(idle);
      return idle;
    }
    return undefined;
  }

  dropIdle(session: SmtpConnection): void {
    if (!this.site.idle.delete(session)) return;
    const at = this.idle.indexOf(session);
    if (at !== -1) this.idle.splice(at, 1);
  }

  /** `first`: it had waited before. */
  wait(waiter: Waiter, first = false): void {
    if (first) this.waiting.unshift(waiter);
    else this.waiting.push(waiter);
    this.site.waitingFor.add(this);
  }

  next(): Waiter | undefined {
    const next = this.waiting.shift();
    if (this.waiting.length === 0) this.site.waitingFor.delete(this);
    return next;
  }

  /** How long one more would wait, in milliseconds. */
  expectedWait(): number {
    return (this.waiting.length + 1) * this.interval();
  }

  /**
   * For who cannot wait here: come back after those who were told so before, each when another session comes back. If all did at once
   * and ever again, an exchanger that is stuck would keep us from the others.
   */
  busy(): ExchangerBusy {
    const now = performance.now();
    // Nothing is known of it yet: it may be fast.
    if (this.usualHold === undefined && [...this.held.values()].every((since) => now - since < UNKNOWN_HOLD_MS)) {
      return new ExchangerBusy();
    }
    const longest = LONGEST_BACK_MS * (0.8 + 0.2 * Math.random());
    this.backAt = Math.min(Math.max(this.backAt + this.interval(), now + BACK_MS), now + longest);
    return new ExchangerBusy(this.backAt - now);
  }

  /**
   * How often a session comes back, in milliseconds: each after the usual time, or, if it is overdue, hardly before it has been away
   * for as long again. Where there is none yet, one has to be got.
   */
  private interval(): number {
    const now = performance.now();
    const usual = this.usualHold ?? UNKNOWN_HOLD_MS;
    let perMs = 0;
    for (const since of this.held.values()) perMs += 1 / Math.max(usual, now - since, 0.1);
    return perMs === 0 ? UNKNOWN_HOLD_MS : 1 / perMs;
  }

  /** Sends away who has waited too long after all. */
  dismiss(waitMs: number): void {
    const before = performance.now() - waitMs;
    while (this.waitsSince < before) this.next()?.reject(this.busy());
  }

  dismissAll(why: unknown): void {
    for (let next = this.next(); next; next = this.next()) next.reject(why);
  }
}
