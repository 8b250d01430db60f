import type { Heard } from '../shaping/pace.policy.ts';
import { countShaping } from '../shaping/shaping.metrics.ts';
import type { SiteRule } from '../shaping/shaping.rules.ts';
import { SlotsAway, type Slot, type Slots, type Wanted } from '../shaping/slots.ts';
import { Exchanger, ExchangerBusy } from './exchanger.ts';
import { Site } from './site.ts';
import { SmtpConnection, SmtpRefused } from './smtp-connection.ts';
import { SmtpBroken } from './smtp-error.ts';
import type { SmtpOptions, SmtpTarget } from './smtp-options.ts';

export interface PoolLimits {
  /** Sessions in all. */
  total: number;
  /** Deliveries that may wait for a session to one exchanger; more are refused with ExchangerBusy. */
  waitingPerExchanger: number;
  /** Whoever would wait longer than this for a session is refused, too: a slow exchanger holds few places, a fast one many. */
  waitMs: number;
  idleMs: number;
}

const CLEAR_TEXT_MS = 3_600_000;
/** How often a site is asked for a slot where none was free. */
const ASK_MS = 250;
/** Who has more than others keeps from asking for so long, and a slot for at least so long. */
const SHARE_MS = 1_000;
/** A process that died closes its sessions one after the other: what it had is used so much later. */
const SETTLE_MS = 50;

/**
 * Sessions of this process, by exchanger, kept open between messages. Bounded in every direction: a session needs one of the slots
 * that its site has for all processes, and keeps it until its socket is closed.
 */
export class SmtpPool {
  private readonly exchangers = new Map<string, Exchanger>();
  private readonly sites = new Map<string, Site>();
  /** The same by what others call them. */
  private readonly byHash = new Map<number, Site>();
  private readonly homes = new WeakMap<SmtpConnection, { exchanger: Exchanger; slot: Slot }>();
  /** Sites at which somebody waits and no slot was free. */
  private readonly wanting = new Set<Site>();
  /** Sessions that nobody has until their slots have rested. */
  private readonly resting = new Set<SmtpConnection>();
  private total = 0;
  private closing = false;
  private readonly sweeper: NodeJS.Timeout;
  private readonly asker: NodeJS.Timeout;

  constructor(
    private readonly options: SmtpOptions,
    private readonly limits: PoolLimits,
    private readonly ruleOf: (target: SmtpTarget) => SiteRule,
    private readonly slots: Slots,
  ) {
    this.sweeper = setInterval(() => this.sweep(), Math.max(50, Math.min(limits.idleMs, limits.waitMs) / 4));
    this.asker = setInterval(() => this.askAgain(), ASK_MS / 2);
    this.sweeper.unref();
    this.asker.unref();
    slots.listen({ wanted: (wanted) => this.share(wanted), lost: () => this.lost() });
  }

  get connections(): number {
    return this.total;
  }

  /**
   * A session to the target, an open one if there is one. Give it back with `release`. Throws SmtpBroken or SmtpRefused when it
   * cannot be opened, ExchangerBusy when too many wait or the site is let alone for a while, SlotsAway when none may be opened.
   */
  async acquire(target: SmtpTarget): Promise<SmtpConnection> {
    const exchanger = this.exchanger(target);
    const { site } = exchanger;
    if (site.pace.pausedUntil > 0) this.assertNotPaused(site);
    const idle = exchanger.takeIdle();
    if (idle) return idle;
    if (this.mayOpen(site)) {
      exchanger.coming += 1;
      const slot = await this.slot(site).finally(() => (exchanger.coming -= 1));
      if (slot) return this.open(exchanger, target, slot);
      const back = exchanger.takeIdle();
      if (back) return back;
    } else this.makeWay(site);
    const { waitingPerExchanger, waitMs } = this.limits;
    if (exchanger.waits >= waitingPerExchanger || exchanger.expectedWait() > waitMs) throw exchanger.busy();
    return new Promise((resolve, reject) => {
      exchanger.wait({ target, resolve, reject, since: performance.now() });
      this.wanting.add(site);
    });
  }

  /** What became of the message that the session had, if anything was said of it. */
  release(connection: SmtpConnection, heard?: Heard): void {
    const home = this.homes.get(connection);
    if (!home) return;
    const { exchanger, slot } = home;
    const { site } = exchanger;
    if (heard) this.heard(site, heard, connection.beganAt);
    const rest = site.rule.pauseMs === 0 ? 0 : this.rest(site, slot, connection);
    if (rest <= 0 || !connection.usable) return this.free(connection, exchanger, slot);
    if (rest > this.limits.idleMs || this.isOver(connection, site, slot)) return this.end(connection, exchanger);
    this.resting.add(connection);
    setTimeout(
      () => {
        this.resting.delete(connection);
        this.free(connection, exchanger, slot);
      },
      Math.ceil(rest) + 1,
    );
  }

  /** Resolves when all sessions are closed that nobody uses. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.sweeper);
    clearInterval(this.asker);
    for (const exchanger of this.exchangers.values()) exchanger.dismissAll(new ExchangerBusy());
    const unused = [...this.resting, ...[...this.sites.values()].flatMap((site) => [...site.idle])];
    for (const session of unused) session.quit();
    await Promise.all(unused.map(({ closed }) => closed));
  }

  /** How long a slot has to rest after what the session had last, in milliseconds. */
  private rest(site: Site, slot: Slot, { lastWordAt }: SmtpConnection): number {
    if (lastWordAt !== undefined) {
      slot.served = true;
      slot.readyAt = lastWordAt + site.rule.pauseMs;
    }
    return slot.readyAt - performance.now();
  }

  /** Nobody uses the session now: who waits gets it, or it is kept. */
  private free(connection: SmtpConnection, exchanger: Exchanger, slot: Slot): void {
    const { site } = exchanger;
    if (!connection.usable) return exchanger.leave(connection);
    if (this.isOver(connection, site, slot)) return this.end(connection, exchanger);
    if (site.waitingFor.size > 0) {
      const longest = site.longestWaiting();
      // Another exchanger of the site has none, and nobody else would make room for it.
      if (longest !== exchanger && longest?.open === 0 && !site.room) return this.end(connection, exchanger);
      const next = exchanger.next();
      if (next) {
        exchanger.givenBack(connection);
        exchanger.taken(connection);
        next.resolve(connection);
        return;
      }
      if (!site.room) return this.end(connection, exchanger);
    }
    exchanger.givenBack(connection);
    exchanger.addIdle(connection);
  }

  /** It has had its messages, there are too many, or somebody else gets the slot. */
  private isOver({ messages }: SmtpConnection, site: Site, slot: Slot): boolean {
    if (site.owes && performance.now() - slot.takenAt >= SHARE_MS) {
      site.owes = false;
      site.promised.add(slot);
    }
    const full = messages >= site.rule.messagesPerSession || site.sessions.size > site.pace.allowed;
    return full || this.closing || site.promised.has(slot);
  }

  private end(connection: SmtpConnection, exchanger: Exchanger): void {
    exchanger.givenBack(connection);
    connection.quit();
  }

  private exchanger(target: SmtpTarget): Exchanger {
    const { address, port, tls, proof, login } = target;
    const rule = this.ruleOf(target);
    const key = `${address} ${port} ${tls} ${proof?.id ?? ''} ${login?.username ?? ''} ${rule.site}`;
    let exchanger = this.exchangers.get(key);
    if (exchanger === undefined) this.exchangers.set(key, (exchanger = new Exchanger(this.site(rule))));
    return exchanger;
  }

  private site(rule: SiteRule): Site {
    let site = this.sites.get(rule.site);
    if (site === undefined) {
      this.sites.set(rule.site, (site = new Site(rule)));
      this.byHash.set(site.hash, site);
    }
    return site;
  }

  private assertNotPaused({ pace }: Site): void {
    const left = pace.pausedUntil - performance.now();
    if (left > 0) throw new ExchangerBusy(left, { paused: true, unreachable: pace.unreachable });
  }

  private mayOpen(site: Site): boolean {
    return site.room && (site.spare.size > 0 || performance.now() >= site.askAt) && this.makeRoom(site);
  }

  /** A slot that is ready soon, and counts as used. Undefined: none is free. */
  private async slot(site: Site): Promise<Slot | undefined> {
    const [spare] = site.spare;
    if (spare) this.reserve(site, spare);
    const slot = spare ?? (await this.ask(site));
    const rest = slot === undefined ? 0 : slot.readyAt - performance.now();
    if (slot && rest > this.limits.waitMs) {
      this.total -= 1;
      this.left(site, slot, false);
      throw new ExchangerBusy(rest);
    }
    return slot;
  }

  private reserve(site: Site, slot: Slot): void {
    site.spare.delete(slot);
    site.used.add(slot);
    this.total += 1;
  }

  private async ask(site: Site): Promise<Slot | undefined> {
    const { sessions, pauseMs, provider } = site.rule;
    site.asked += 1;
    this.total += 1;
    let slot: Slot | undefined;
    try {
      slot = await this.slots.take(site.hash, sessions);
    } finally {
      site.asked -= 1;
      if (slot) site.used.add(slot);
      else this.total -= 1;
    }
    const now = performance.now();
    if (slot) {
      // Who used it last may have done so just now.
      slot.readyAt = now + Math.max(pauseMs, site.wantingSince === undefined ? 0 : SETTLE_MS);
      site.wantingSince = undefined;
      return slot;
    }
    if (site.wantingSince === undefined) countShaping('wanting', provider);
    site.wantingSince ??= now;
    site.askAt = now + ASK_MS;
    this.slots.want({ site: site.hash, have: site.have, waitedMs: Math.round(now - site.wantingSince) });
    return undefined;
  }

  /** In a slot that is reserved. */
  private async open(exchanger: Exchanger, target: SmtpTarget, slot: Slot): Promise<SmtpConnection> {
    const { site } = exchanger;
    exchanger.open += 1;
    const opening = {};
    exchanger.taken(opening);
    const beganAt = performance.now();
    try {
      await ready(slot);
      // What was promised meanwhile is not begun.
      if (site.promised.has(slot)) throw new SlotsAway();
      const connection = await this.connect(exchanger, target);
      this.homes.set(connection, { exchanger, slot });
      site.sessions.add(connection);
      exchanger.taken(connection);
      connection.onClose = () => {
        exchanger.dropIdle(connection);
        exchanger.leave(connection);
        site.sessions.delete(connection);
        exchanger.open -= 1;
        this.total -= 1;
        void connection.closed.then(() => {
          this.rest(site, slot, connection);
          this.left(site, slot);
        });
      };
      return connection;
    } catch (error) {
      const heard = heardOf(error);
      if (heard) this.heard(site, heard, beganAt);
      // Nothing is open there and nothing can be: who waits need not find that out one after the other.
      if (exchanger.open === 1) exchanger.dismissAll(error);
      exchanger.open -= 1;
      this.total -= 1;
      this.left(site, slot);
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

  /** A session is closed, or never was opened: its slot goes to who waits here, or to whoever wants it. */
  private left(site: Site, slot: Slot, serve = true): void {
    site.used.delete(slot);
    if (site.promised.has(slot) || this.closing) return this.slots.giveBack(slot);
    if (serve && site.waitingFor.size > 0 && site.room && this.makeRoom(site)) {
      this.reserve(site, slot);
      this.serve(site, slot);
    } else if (slot.readyAt > performance.now()) this.keep(site, slot);
    else this.slots.giveBack(slot);
  }

  /** Until it has rested, and a little longer: who comes back for it was told when. */
  private keep(site: Site, slot: Slot): void {
    site.spare.add(slot);
    const left = Math.max(0, slot.readyAt - performance.now());
    setTimeout(
      () => {
        if (site.spare.delete(slot)) this.slots.giveBack(slot);
      },
      1.2 * left + this.limits.waitMs,
    ).unref();
  }

  /** Opens a session in a slot that is reserved, for whoever has waited longest. */
  private serve(site: Site, slot: Slot): void {
    const exchanger = site.longestWaiting();
    const next = exchanger?.next();
    if (exchanger && next) {
      this.open(exchanger, next.target, slot).then(next.resolve, next.reject);
      return;
    }
    this.total -= 1;
    this.left(site, slot);
  }

  private askAgain(): void {
    for (const site of this.wanting) {
      if (site.waitingFor.size > 0) void this.askFor(site);
      else if (performance.now() > site.askAt + ASK_MS) {
        // Nobody wants one any more, or those who do come back and say so.
        site.wantingSince = undefined;
        this.wanting.delete(site);
      }
    }
  }

  private async askFor(site: Site): Promise<void> {
    if (site.asked > 0) return;
    if (!this.mayOpen(site)) return this.makeWay(site);
    try {
      const slot = await this.slot(site);
      if (slot) this.serve(site, slot);
    } catch (error) {
      for (const exchanger of site.waitingFor) exchanger.dismissAll(error);
    }
  }

  /** It is full, of sessions with other exchangers of the site: one that is idle ends. */
  private makeWay(site: Site): void {
    if (site.room) return;
    const [idle] = site.idle;
    idle?.quit();
  }

  /**
   * Below the total, or an idle session elsewhere can go. Of what is left a site has no more than it leaves to others: some servers that hold all
   * they are given would take everything there is.
   */
  private makeRoom({ used, asked }: Site): boolean {
    const [own, left] = [used.size + asked, this.limits.total - this.total];
    if (left > 0 && (own <= left || own === this.total)) return true;
    for (const site of this.sites.values()) {
      const [idle] = site.idle;
      if (idle) {
        idle.quit();
        return true;
      }
    }
    return false;
  }

  /** Others find no slot free: what is idle here is theirs, and of what is not, as much as makes us equal, one at a time. */
  private share({ site: hash, have, waitedMs }: Wanted): void {
    const site = this.byHash.get(hash);
    if (!site) return;
    const now = performance.now();
    const ours = site.have;
    const longer = site.wantingSince === undefined || waitedMs > now - site.wantingSince;
    if (ours > have) site.askAt = now + SHARE_MS;
    else if (ours === 0 && longer) site.askAt = Math.max(site.askAt, now + 2 * ASK_MS);
    if (site.idle.size > 0) {
      for (const session of site.idle) this.promise(site, session);
    } else if (!this.giveServed(site)) {
      if (ours <= have + 1 && (have > 0 || ours === 0)) return;
      site.owes = true;
    }
    countShaping('shared', site.rule.provider);
  }

  private promise(site: Site, session: SmtpConnection): void {
    const slot = this.homes.get(session)?.slot;
    if (slot) site.promised.add(slot);
    session.quit();
  }

  /** What rests unused goes to others only once it has served us, else it would rest for ever. Whether there was any. */
  private giveServed(site: Site): boolean {
    const served = [...site.spare].filter((slot) => slot.served);
    for (const slot of served) {
      site.spare.delete(slot);
      this.slots.giveBack(slot);
    }
    return served.length > 0;
  }

  /** What is idle ends at once, what is not with its message. */
  private lost(): void {
    for (const site of this.sites.values()) {
      for (const slot of site.spare) this.slots.giveBack(slot);
      site.spare.clear();
      for (const slot of site.used) site.promised.add(slot);
      for (const session of site.idle) session.quit();
      for (const exchanger of site.waitingFor) exchanger.dismissAll(new SlotsAway());
    }
  }

  private heard(site: Site, what: Heard, beganAt: number): void {
    const change = site.pace.heard(what, beganAt, performance.now());
    if (!change) return;
    if (change !== 'recovering') countShaping(change, site.rule.provider);
    if (change === 'paused') {
      const { pausedUntil, unreachable } = site.pace;
      const busy = new ExchangerBusy(pausedUntil - performance.now(), { paused: true, unreachable });
      for (const exchanger of site.waitingFor) exchanger.dismissAll(busy);
    }
    for (const session of site.idle) {
      if (site.sessions.size <= site.pace.allowed) break;
      session.quit();
    }
  }

  private sweep(): void {
    const before = Date.now() - this.limits.idleMs;
    for (const [key, exchanger] of this.exchangers) {
      exchanger.dismiss(this.limits.waitMs);
      if (exchanger.inUse || exchanger.clearUntil > Date.now()) continue;
      this.exchangers.delete(key);
      exchanger.site.exchangers -= 1;
    }
    const now = performance.now();
    for (const [name, site] of this.sites) {
      for (const session of site.idle) if (session.idleSince < before) session.quit();
      if (site.exchangers > 0 || site.have + site.asked > 0 || !site.pace.forgettable(now)) continue;
      this.sites.delete(name);
      if (this.byHash.get(site.hash) === site) this.byHash.delete(site.hash);
    }
  }
}

async function ready({ readyAt }: Slot): Promise<void> {
  for (let left = readyAt - performance.now(); left > 0; left = readyAt - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
  }
}

/** What a session that could not be opened says of the site; a certificate or a login says nothing of how much it takes. */
function heardOf(error: unknown): Heard | undefined {
  if (error instanceof SmtpRefused) return error.reply.code < 500 ? 'pushed-back' : 'lost';
  const there = error instanceof SmtpBroken && (error.at === 'tls' || error.at === 'login');
  return error instanceof SmtpBroken && !there ? 'lost' : undefined;
}
