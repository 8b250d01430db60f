import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@lethe/database';
import type { Clock, CreatedService } from '@lethe/service';
import { moments, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { PoolAddress } from '../src/pools/ip.pools.ts';
import { WarmUpService } from '../src/pools/warm-up.service.ts';
import { send } from './support/mail.ts';
import { watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const DAY_MS = 86_400_000;
const today = (): string => new Date().toISOString().slice(0, 10);
const OLD = '127.0.0.51';
const NEW = '127.0.0.52';
const ONLY_NEW = '127.0.0.53';
const CAP = 5;

describe('where mail leaves from', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-pools-'));
  const file = join(dir, 'pools.json');
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { IP_POOLS: file });
    events = await watchEvents(around);
    await start([
      { address: OLD, ehlo: 'old.example.net' },
      { address: NEW, warmUp: { since: today(), perDay: [CAP] } },
    ]);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(addresses: object[]): Promise<void> {
    await service?.app.close();
    writeFileSync(file, JSON.stringify([{ addresses, domains: [around.domain.domainId] }]));
    service = await startDelivery(around.environment);
  }
  const takenFrom = async (address: string) =>
    (await moments(around.world)).filter(({ what, client }) => what === 'taken' && client === address).length;
  async function sendMany(count: number, word: string): Promise<string[]> {
    const sent = await Promise.all(
      Array.from({ length: count }, (_, n) =>
        send(around, { to: [`${word}${n}@world.example`], record: { expiresAt: Date.now() + 2 * DAY_MS } }),
      ),
    );
    return sent.map(({ messageId }) => messageId);
  }

  it('is an address of the domain’s pool, and a new one sends no more than it may today', async () => {
    const ids = await sendMany(40, 'first');
    for (const id of ids) await events.next(id, 'delivered', 1);
    expect(await takenFrom(NEW)).toBe(CAP);
    expect(await takenFrom(OLD)).toBe(40 - CAP);
    const { rows } = await around.database.query('select * from warm_up');
    expect(rows).toMatchObject([{ address: NEW, provider: 'other', sent: CAP }]);
  });

  it('is the next day where none may send any more, and mail waits for it', async () => {
    await start([{ address: ONLY_NEW, warmUp: { since: today(), perDay: [2] } }]);
    const ids = await sendMany(4, 'second');
    const waiting = async () =>
      (await around.database.query<{ next_at: Date; attempt: number }>('select next_at, attempt from deferred')).rows;
    expect(await until(async () => (await waiting()).length === 2, 20_000)).toBe(true);
    const tomorrow = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
    for (const { next_at: nextAt, attempt } of await waiting()) {
      expect(nextAt.getTime()).toBeGreaterThanOrEqual(tomorrow - 1_000);
      expect(nextAt.getTime()).toBeLessThan(tomorrow + 3_700_000);
      expect(attempt).toBe(1);
    }
    const told = () => ids.filter((id) => events.of(id).some(({ type }) => type === 'delivered')).length;
    expect(await until(() => told() === 2, 20_000)).toBe(true);
    expect(await takenFrom(ONLY_NEW)).toBe(2);
  });

  it('is not waited for beyond the end of a message', async () => {
    const brief = await send(around, { to: ['brief@world.example'], record: { expiresAt: Date.now() + 3_000 } });
    const over = () =>
      events.of(brief.messageId).some((event) => event.type === 'failed' && event.severity === 'permanent');
    expect(await until(over, 15_000)).toBe(true);
    expect(await takenFrom(ONLY_NEW)).toBe(2);
  });

  it('does not count what nobody was there for', async () => {
    await start([{ address: NEW, warmUp: { since: today(), perDay: [CAP + 1] } }]);
    await fetch(`${around.world.http}/dns`, {
      method: 'PUT',
      // Loopback, and nobody listens there.
      body: JSON.stringify({ name: 'nobody.example', type: 'A', value: '127.0.0.77' }),
    });
    await fetch(`${around.world.http}/dns`, {
      method: 'PUT',
      body: JSON.stringify({ name: 'nobody.example', type: 'MX', value: '10 nobody.example' }),
    });
    const lost = await send(around, { to: ['ok@nobody.example'], record: { expiresAt: Date.now() + 1_500 } });
    const ended = () =>
      events.of(lost.messageId).some((event) => event.type === 'failed' && event.severity === 'permanent');
    expect(await until(ended, 15_000)).toBe(true);
    const { messageId } = await send(around, { to: ['ok@world.example'] });
    await events.next(messageId, 'delivered', 1);
    expect(await takenFrom(NEW)).toBe(CAP + 1);
  });

  it('keeps the cap over processes and days', async () => {
    let now = Date.parse('2026-12-01T12:00:00Z');
    const clock: Clock = { now: () => now };
    const database = service.app.get(Database);
    const [one, two] = [new WarmUpService(database, clock), new WarmUpService(database, clock)];
    const from: PoolAddress = { address: '192.0.2.9', warmUp: { since: '2026-12-01', perDay: [50, 230] } };
    const count = async (tries: number): Promise<number> => {
      const taken = await Promise.all(
        Array.from({ length: tries }, (_, n) => (n % 2 === 0 ? one : two).take(from, 'google')),
      );
      return taken.filter(Boolean).length;
    };
    expect(await count(120)).toBe(50);
    expect(await one.take(from, 'yahoo')).toBeDefined();
    expect(one.untilTomorrow()).toBe(DAY_MS / 2);
    now += DAY_MS;
    expect(await count(500)).toBe(230);
    now += DAY_MS;
    expect(await count(500)).toBe(500);
    now -= 3 * DAY_MS;
    expect(await one.take(from, 'google')).toBeUndefined();
    const giveBack = await new WarmUpService(database, clock).take(
      { ...from, warmUp: { since: '2026-11-30', perDay: [1] } },
      'vk',
    );
    giveBack?.();
    expect(giveBack).toBeDefined();
  });
});
