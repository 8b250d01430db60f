import type { Log } from '@lethe/service';
import { Client } from 'pg';
import { SlotsAway, type Slot, type Slots, type Wanted } from './slots.ts';

const CHANNEL = 'delivery_slots';
const RECONNECT_MS = 200;
const PING_MS = 400;
/** A question open for so long will not be answered: a new connection is made. */
const HUNG_MS = 2_000;
/**
 * How long after a loss no slot is taken but what we had: by then everybody has theirs again. After a start of PostgreSQL as long for
 * those, too, who have just begun.
 */
const RETAKE_MS = 3_000;
/** How soon PostgreSQL notices that a machine is gone: later than that machine, cut off, notices it itself. */
const KEEPALIVE = '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3';

/** Only CASE keeps the order: of two conditions the cheaper one is looked at first, and what we hold would be locked once more. */
const TAKE = `
  select r.n, s.slot
  from jsonb_to_recordset($1) as r(n int, site int, wanted int, highest int, ours int[]),
    lateral (
      select slot from generate_series(1, r.highest) as slot
      where case when slot = any(r.ours) then false else pg_try_advisory_lock(r.site, slot) end limit r.wanted
    ) as s`;
const TAKE_AGAIN = `
  select t.site, t.slot from unnest($1::int[], $2::int[]) as t(site, slot) where pg_try_advisory_lock(t.site, t.slot)`;
const GIVE = `select pg_advisory_unlock(t.site, t.slot) from unnest($1::int[], $2::int[]) as t(site, slot)`;
const TELL = `select pg_notify('${CHANNEL}', t.said) from unnest($1::text[]) as t(said)`;

interface Held extends Slot {
  /** The lock is ours: not so between a loss of the connection and taking it again. */
  locked: boolean;
  /** It is to be given back. */
  over: boolean;
}

interface Request {
  site: number;
  of: number;
  resolve: (slot: Slot | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Slots as session locks of the service's own database, on one connection: there is no time in it that could run out, and PostgreSQL
 * frees what a process had when its connection ends. Locks are re-entrant, so what we hold is never asked for again. What is asked for
 * meanwhile goes into the next statement; there is one at a time.
 */
export class SlotLocks implements Slots {
  private client: Client | undefined;
  /** No new slot before, by the monotonic clock. */
  private opensAt = 0;
  private hadOne = false;
  /** It was said that there is none. */
  private told = false;
  private closed = false;
  private readonly held = new Map<number, Map<number, Held>>();
  private requests: Request[] = [];
  private readonly over = new Set<Held>();
  private readonly tellings = new Map<number, Wanted>();
  /** Whose statements are under way. */
  private working: Client | undefined;
  private askedAt: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wanted: (wanted: Wanted) => void = () => {};
  private lost: () => void = () => {};

  constructor(
    private readonly url: string,
    private readonly log: Pick<Log, 'info' | 'warn'>,
  ) {}

  /** Resolves after the first try to connect; it goes on trying until closed. */
  async start(): Promise<void> {
    this.timer = setInterval(() => this.look(), PING_MS);
    this.timer.unref();
    await this.connect();
  }

  listen({ wanted, lost }: { wanted: (wanted: Wanted) => void; lost: () => void }): void {
    this.wanted = wanted;
    this.lost = lost;
  }

  take(site: number, of: number): Promise<Slot | undefined> {
    if (!this.client || performance.now() < this.opensAt) return Promise.reject(new SlotsAway());
    return new Promise((resolve, reject) => {
      this.requests.push({ site, of, resolve, reject });
      this.workSoon();
    });
  }

  giveBack(slot: Slot): void {
    const held = slot as Held;
    held.over = true;
    this.over.add(held);
    this.workSoon();
  }

  want(wanted: Wanted): void {
    this.tellings.set(wanted.site, wanted);
    this.workSoon();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    const { client } = this;
    this.client = undefined;
    for (const { reject } of this.requests.splice(0)) reject(new SlotsAway());
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    if (this.closed) return;
    const client = new Client({
      connectionString: this.url,
      application_name: 'delivery-slots',
      connectionTimeoutMillis: HUNG_MS,
      options: KEEPALIVE,
    });
    client.on('error', (error) => this.lose(client, error));
    client.on('end', () => this.lose(client));
    client.on('notification', ({ processId, payload }) => {
      if (processId !== (client as unknown as { processID: number }).processID) this.hear(payload);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      const { rows } = await client.query<{ up: number }>(
        'select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 as up',
      );
      const wait = this.hadOne ? RETAKE_MS : RETAKE_MS - (rows[0]?.up ?? 0);
      this.opensAt = performance.now() + Math.max(0, wait);
      if (this.isClosed()) return void client.end().catch(() => undefined);
      if (this.told) this.log.info('slots.available');
      this.told = false;
      this.hadOne = true;
      this.client = client;
      this.workSoon();
    } catch (error) {
      this.tellAway(error);
      destroy(client);
      setTimeout(() => void this.connect(), RECONNECT_MS).unref();
    }
  }

  /** Once, until there is one again: mail waits for it. */
  private tellAway(error: unknown): void {
    if (!this.told && !this.closed) this.log.warn('slots.unavailable', { error });
    this.told = true;
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private look(): void {
    if (this.askedAt !== undefined && performance.now() - this.askedAt > HUNG_MS) return this.lose(this.client);
    this.workSoon(true);
  }

  /** After everything of this turn of the loop has said what it wants. */
  private workSoon(ping = false): void {
    const { client } = this;
    if (!client || this.working === client) return;
    this.working = client;
    setImmediate(() => void this.work(client, ping));
  }

  private async work(client: Client, ping: boolean): Promise<void> {
    try {
      if (ping) await this.query(client, 'select 1', []);
      do {
        await this.takeAgain(client);
        await this.give(client);
        await this.tell(client);
        await this.answer(client);
      } while (this.hasWork());
    } catch (error) {
      this.lose(client, error);
    } finally {
      if (this.working === client) this.working = undefined;
    }
  }

  private hasWork(): boolean {
    return this.requests.length > 0 || this.over.size > 0 || this.tellings.size > 0;
  }

  private async query<R extends object>(client: Client, text: string, values: unknown[]): Promise<R[]> {
    this.askedAt = performance.now();
    const { rows } = await client.query<R>(text, values);
    // Lost meanwhile: what it says is of no use any more.
    if (this.client !== client) throw new SlotsAway();
    this.askedAt = undefined;
    return rows;
  }

  /** Of sessions that were open when the connection was lost. Who has one by now, has it: ours ends with its message. */
  private async takeAgain(client: Client): Promise<void> {
    const bare = this.all().filter(({ locked, over }) => !locked && !over);
    if (bare.length === 0) return;
    const rows = await this.query<{ site: number; slot: number }>(client, TAKE_AGAIN, columns(bare));
    for (const { site, slot } of rows) {
      const held = this.held.get(site)?.get(slot);
      if (held) held.locked = true;
    }
  }

  private async give(client: Client): Promise<void> {
    const over = [...this.over];
    const locked = over.filter((held) => held.locked);
    if (locked.length > 0) await this.query(client, GIVE, columns(locked));
    for (const held of over) this.forget(held);
  }

  private async tell(client: Client): Promise<void> {
    if (this.tellings.size === 0) return;
    const said = [...this.tellings.values()].map(({ site, have, waitedMs }) => `${site} ${have} ${waitedMs}`);
    this.tellings.clear();
    await this.query(client, TELL, [said]);
  }

  private async answer(client: Client): Promise<void> {
    const requests = this.requests.splice(0);
    if (requests.length === 0) return;
    try {
      const groups = [...Map.groupBy(requests, ({ site }) => site).values()];
      const asked = groups.map((group, n) => {
        const [{ site, of }] = group as [Request];
        return { n, site, wanted: group.length, highest: of, ours: [...(this.held.get(site)?.keys() ?? [])] };
      });
      const rows = await this.query<{ n: number; slot: number }>(client, TAKE, [JSON.stringify(asked)]);
      const takenAt = performance.now();
      for (const { n, slot: number } of rows) {
        const request = groups[n]?.shift();
        if (!request) continue;
        const { site } = request;
        const held: Held = { site, number, takenAt, readyAt: takenAt, served: false, locked: true, over: false };
        this.remember(held);
        request.resolve(held);
      }
      for (const { resolve } of groups.flat()) resolve(undefined);
    } catch (error) {
      for (const { reject } of requests) reject(new SlotsAway());
      throw error;
    }
  }

  private all(): Held[] {
    return [...this.held.values()].flatMap((slots) => [...slots.values()]);
  }

  private remember(held: Held): void {
    const slots = this.held.get(held.site) ?? new Map<number, Held>();
    this.held.set(held.site, slots.set(held.number, held));
  }

  private forget(held: Held): void {
    this.over.delete(held);
    const slots = this.held.get(held.site);
    slots?.delete(held.number);
    if (slots?.size === 0) this.held.delete(held.site);
  }

  /** Lets go of the connection, if `client` is still the one. */
  private lose(client: Client | undefined, error?: unknown): void {
    if (client === undefined || this.client !== client) return;
    this.tellAway(error);
    this.client = undefined;
    this.askedAt = undefined;
    destroy(client);
    for (const held of this.all()) held.locked = false;
    for (const held of this.over) this.forget(held);
    this.tellings.clear();
    for (const { reject } of this.requests.splice(0)) reject(new SlotsAway());
    this.lost();
    void this.connect();
  }

  private hear(payload: string | undefined): void {
    const [site = NaN, have = NaN, waitedMs = NaN] = (payload ?? '').split(' ').map(Number);
    if ([site, have, waitedMs].every(Number.isFinite)) this.wanted({ site, have, waitedMs });
  }
}

const columns = (slots: readonly Slot[]): [number[], number[]] => [
  slots.map(({ site }) => site),
  slots.map(({ number }) => number),
];

/** Ends a connection whose other side may never answer again. */
function destroy(client: Client): void {
  client.removeAllListeners('notification');
  void client.end().catch(() => {});
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
