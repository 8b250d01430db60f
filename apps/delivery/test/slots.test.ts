import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  longestGap,
  moments,
  mostAtOnce,
  mostWithin,
  startPostgres,
  startWorld,
  until,
  withClient,
  type Postgres,
  type World,
} from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SlotLocks } from '../src/shaping/slot.locks.ts';
import { log, startSender, type Sender } from './support/shaped.ts';

const APP = fileURLToPath(new URL('..', import.meta.url));
const SITE = 4_711;
/** What waits for others to have theirs again. */
const RETAKEN_MS = 3_000;

describe('slots', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-slots-'));
  let postgres: Postgres;
  let url: string;
  let world: World;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ dir, password: 'slots' });
    url = postgres.adminUrl;
    const up = 'select clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => $1) as up';
    const isUp = () =>
      withClient(url, async (client) => (await client.query<{ up: boolean }>(up, [RETAKEN_MS / 1_000])).rows[0]?.up);
    await until(async () => (await isUp()) ?? false, 10_000);
  });
  afterAll(async () => {
    await postgres?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
    await world?.stop();
  });

  async function locks(): Promise<SlotLocks> {
    const slots = new SlotLocks(url, log);
    await slots.start();
    open.push(slots);
    return slots;
  }
  async function senders(count: number, rule: Parameters<typeof startSender>[2], slowMs = 50): Promise<Sender[]> {
    world = await startWorld({ slowMs });
    const all = await Promise.all(Array.from({ length: count }, () => startSender(url, world, rule)));
    open.push(...all);
    return all;
  }
  const many = (sender: Sender, word: string, count: number): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => sender.send(`${word}+${n}@world.example`)));
  const isThere = (take: () => Promise<unknown>, ms: number) => until(async () => (await take()) !== undefined, ms, 20);

  it('are as many as a site has, for all processes together', async () => {
    const [one, two, three] = [await locks(), await locks(), await locks()];
    const taken = await Promise.all([one, two, one, two, one].map((each) => each.take(SITE, 3)));
    expect(taken.filter((slot) => slot !== undefined)).toHaveLength(3);
    expect(await one.take(SITE, 3)).toBeUndefined();
    expect(await two.take(SITE + 1, 3)).toBeDefined();
    expect(await two.take(SITE, 3)).toBeUndefined();
    // Each once, however often it was asked for meanwhile.
    for (const [n, slot] of taken.entries()) if (slot) (n % 2 === 0 ? one : two).giveBack(slot);
    for (let n = 0; n < 3; n += 1) expect(await isThere(() => three.take(SITE, 3), 2_000)).toBe(true);
    expect(await three.take(SITE, 3)).toBeUndefined();
  });

  it('of a process that is killed are free at once', async () => {
    const script = `
      const { SlotLocks } = await import('${APP}dist/shaping/slot.locks.js');
      const slots = new SlotLocks(process.argv[1], console);
      await slots.start();
      const taken = await Promise.all([slots.take(${SITE}, 2), slots.take(${SITE}, 2), slots.take(${SITE}, 2)]);
      console.log(taken.filter((slot) => slot !== undefined).length);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, url], {
      cwd: APP,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const other = await locks();
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      expect(line).toBe('2');
      expect(await other.take(SITE, 2)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
    expect(await isThere(() => other.take(SITE, 2), 2_000)).toBe(true);
    expect(await other.take(SITE, 2)).toBeDefined();
    expect(await other.take(SITE, 2)).toBeUndefined();
  });

  it('are not given anew after a loss before everybody could take theirs again, and what is open is', async () => {
    const [one, two] = [await locks(), await locks()];
    const mine = await one.take(SITE, 1);
    expect(mine).toBeDefined();
    const lost = Date.now();
    await postgres.kill9();
    await postgres.restart();
    const free = (slots: SlotLocks) => slots.take(SITE + 2, 1).catch(() => undefined);
    expect(await isThere(() => free(two), 20_000)).toBe(true);
    expect(Date.now() - lost).toBeGreaterThan(RETAKEN_MS);
    // A process that has just begun does not come before them either.
    expect(await two.take(SITE, 1)).toBeUndefined();
    one.giveBack(mine as NonNullable<typeof mine>);
    expect(await isThere(() => two.take(SITE, 1), 2_000)).toBe(true);
  });

  it('hold at the server while two share them and a third joins, and all of them get some', async () => {
    const all = await senders(3, { sessions: 4 });
    const [one, two, three] = all as [Sender, Sender, Sender];
    const sending = [many(one, 'slow+one', 120), many(two, 'slow+two', 120)];
    await until(async () => (await moments(world)).filter(({ what }) => what === 'taken').length > 40, 20_000);
    const begun = Date.now();
    const third = many(three, 'slow+three', 60);
    await Promise.all([...sending, third]);
    const seen = await moments(world);
    expect(seen.filter(({ what }) => what === 'taken')).toHaveLength(300);
    expect(mostAtOnce(seen)).toBe(4);
    expect(longestGap(seen, 'taken')).toBeLessThan(5_000);
    const messages = (await (await fetch(`${world.http}/messages`)).json()) as { to: string[]; receivedAt: string }[];
    const firsts = ['one', 'two', 'three'].map((name) =>
      Math.min(
        ...messages.filter(({ to }) => to[0]?.includes(`+${name}`)).map(({ receivedAt }) => Date.parse(receivedAt)),
      ),
    );
    expect(firsts[2] - begun).toBeLessThan(5_000);
  });

  it('go round where there are fewer than processes', async () => {
    const all = await senders(3, { sessions: 1 }, 20);
    const begun = Date.now();
    const done = await Promise.all(all.map((sender, n) => many(sender, `slow+${n}`, 20).then(() => Date.now())));
    expect(mostAtOnce(await moments(world))).toBe(1);
    const messages = (await (await fetch(`${world.http}/messages`)).json()) as { to: string[]; receivedAt: string }[];
    const waits = all.map((_, n) => {
      const times = messages
        .filter(({ to }) => to[0]?.includes(`+${n}+`))
        .map(({ receivedAt }) => Date.parse(receivedAt));
      return Math.max(...times.map((at, index) => at - (times[index - 1] ?? begun)));
    });
    expect(done).toHaveLength(3);
    expect(Math.max(...waits)).toBeLessThan(10_000);
  });

  it('carry their share of a rate, whoever has them', async () => {
    // Two slots, each with two messages a second.
    const all = await senders(2, { sessions: 2, pauseMs: 500 });
    await Promise.all(all.map((sender, n) => many(sender, `ok+${n}`, 10)));
    const seen = await moments(world);
    expect(mostAtOnce(seen)).toBeLessThanOrEqual(2);
    for (const what of ['begun', 'taken'] as const) expect(mostWithin(seen, what, 1_000)).toBeLessThanOrEqual(4);
    expect(longestGap(seen, 'taken')).toBeLessThan(5_000);
  });

  it('that rest for long are waited for, and not passed on unused', async () => {
    const all = await senders(2, { sessions: 1, pauseMs: 2_500 });
    await Promise.all(all.map((sender, n) => many(sender, `ok+${n}`, 2)));
    const seen = await moments(world);
    expect(mostWithin(seen, 'begun', 2_500)).toBe(1);
    expect(longestGap(seen, 'taken')).toBeLessThan(10_000);
  });

  it('end with the connection: nothing begins until it is back, and what is idle is closed', async () => {
    const [one, two] = (await senders(2, { sessions: 2 }, 1_500)) as [Sender, Sender];
    await one.send('ok@world.example');
    const under = one.send('slow@world.example');
    await until(async () => (await moments(world)).filter(({ what }) => what === 'begun').length === 2, 5_000, 10);
    await postgres.kill9();
    expect(await under).toBe(250);
    await expect(one.pool.acquire(targetOf(world))).rejects.toMatchObject({ name: 'SlotsAway' });
    expect(await until(async () => openIn(await moments(world)) === 0, 3_000, 20)).toBe(true);
    await postgres.restart();
    expect(await Promise.all([one.send('ok@world.example'), two.send('ok@world.example')])).toEqual([250, 250]);
    expect(mostAtOnce(await moments(world))).toBeLessThanOrEqual(2);
  });

  it('of one site do not wait for another one, whose server is silent', async () => {
    world = await startWorld({ smtpAddresses: ['127.0.0.11'] });
    const sender = await startSender(url, world, { sessions: 2 });
    open.push(sender);
    void Promise.all(Array.from({ length: 50 }, () => sender.send('timeout@world.example', '127.0.0.11'))).catch(
      () => {},
    );
    await until(
      async () => (await moments(world, '127.0.0.11')).filter(({ what }) => what === 'begun').length === 2,
      5_000,
    );
    const begun = Date.now();
    await many(sender, 'ok', 100);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(mostAtOnce(await moments(world, '127.0.0.11'))).toBe(2);
  });
});

const targetOf = (world: World) => ({
  host: 'mx.world.example',
  address: '127.0.0.1',
  port: world.smtp.port,
  tls: 'never' as const,
});

const openIn = (seen: { what: string }[]): number =>
  seen.filter(({ what }) => what === 'opened').length - seen.filter(({ what }) => what === 'closed').length;
