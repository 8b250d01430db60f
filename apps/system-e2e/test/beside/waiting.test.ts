import { basic, form, get, movedClock, sendMessage, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAndRecover, startOwnPlatform, type OwnPlatform } from '../../support/own-platform.ts';
import { query } from '../../support/pipeline.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** As delivery has them by default. */
const RETRY_DELAYS = '1m,5m,15m,30m,1h,2h,4h';
const DELAYS = [1, 5, 15, 30, 60, 120, 240].map((minutes) => minutes * 60_000);
const clock = movedClock();

interface Event {
  event: string;
  severity?: string;
  reason?: string;
  timestamp: number;
  'delivery-status': { code: number; 'attempt-no': number; 'retry-seconds'?: number };
}

/** Schedules and retries take days: they happen on a clock that is moved on from one to the next. */
describe.skipIf(clock === null)('mail that waits', () => {
  const time = clock ?? ({} as NonNullable<typeof clock>);
  let own: OwnPlatform;
  const [week, scheduled, dropped] = ['temperror+week', 'ok+scheduled', 'ok+dropped'].map((n) => `${n}@world.example`);
  let deliverAt = 0;

  beforeAll(async () => {
    own = await startOwnPlatform('waiting', {
      settings: { ...time.environment, RETRY_DELAYS, RETENTION_WORK_MS: '2000' },
      stores: { environment: time.environment },
    });
  });
  afterAll(async () => {
    await own?.stop();
    clock?.close();
  });

  const send = async (to: string, at?: number): Promise<{ status: number; message: string }> => {
    const fields = { from: `Ann <ann@${own.demo.domain}>`, to, subject: 'Later', text: 'It has waited.' };
    const later = at === undefined ? {} : { 'o:deliverytime': String(at / 1_000) };
    const response = await sendMessage(own.platform.gateway, own.demo, form({ ...fields, ...later }));
    return { status: response.status, message: ((await response.json()) as { message: string }).message };
  };
  const accepted = async (to: string, at?: number) =>
    expect(await until(async () => (await send(to, at)).status === 200, 30_000, 500)).toBe(true);
  async function events(recipient: string): Promise<Event[]> {
    const parameters = new URLSearchParams({ recipient, ascending: 'yes', limit: '300', event: 'failed OR delivered' });
    const response = await get(
      `${own.platform.gateway}/v3/${own.demo.domain}/events?${parameters.toString()}`,
      own.demo.apiKey,
    );
    return ((await response.json()) as { items: Event[] }).items;
  }
  const arrived = async (to: string): Promise<number> =>
    ((await (await fetch(`${own.world.http}/messages?to=${encodeURIComponent(to)}`)).json()) as unknown[]).length;
  /** What waits; what was tried most often first. */
  const rows = async () =>
    (await query(own, 'delivery', 'select message_id, attempt, next_at from deferred order by attempt desc')) as {
      message_id: string;
      attempt: number;
      next_at: Date;
    }[];

  it('is taken for in three days, and survives a kill of delivery', async () => {
    deliverAt = Math.floor((time.now() + 3 * DAY) / 1_000) * 1_000;
    await accepted(scheduled, deliverAt);
    const waits = async () => (await rows()).some((row) => row.next_at.getTime() === deliverAt);
    expect(await until(waits, 30_000, 100)).toBe(true);
    await killAndRecover(own, 'delivery');
    expect(await waits()).toBe(true);
  }, 120_000);

  it('is tried for a week where its domain says so, ever more rarely, and ends as too old', async () => {
    const changed = await fetch(`${own.platform.gateway}/v4/domains/${own.demo.domain}`, {
      method: 'PUT',
      headers: { authorization: basic(own.demo.apiKey) },
      body: new URLSearchParams({ message_expiry: '604800' }),
    });
    expect(changed.status).toBe(200);
    // Known to ingest: nothing can be sent later by a domain that tries for as long as it keeps a body.
    const none = `'o:deliverytime' is not possible for this domain: it keeps mail for too short a time`;
    expect(
      await until(async () => (await send('ok+probe@world.example', time.now() + HOUR)).message === none, 10_000, 200),
    ).toBe(true);

    const begin = time.now();
    await accepted(week);
    expect(await until(async () => (await rows())[0]?.attempt === 2, 30_000, 50)).toBe(true);
    const id = (await rows())[0]?.message_id;
    const ours = async () => (await rows()).find((row) => row.message_id === id);
    for (let row = await ours(); row; row = await ours()) {
      const { attempt, next_at: nextAt } = row;
      if (nextAt.getTime() > time.now()) time.forward(nextAt.getTime() - time.now());
      if (time.now() < deliverAt) expect(await arrived(scheduled)).toBe(0);
      const over = async () => ((await ours())?.attempt ?? attempt + 1) > attempt;
      expect(await until(over, 30_000, 20)).toBe(true);
    }
    expect(time.now() - begin).toBeGreaterThan(6.6 * DAY);
    expect(time.now() - begin).toBeLessThan(7 * DAY);

    const ended = async () => (await events(week)).some(({ severity }) => severity === 'permanent');
    expect(await until(ended, 30_000, 300)).toBe(true);
    const all = await events(week);
    const last = all.at(-1);
    expect(last).toMatchObject({ event: 'failed', severity: 'permanent', reason: 'old' });
    const tries = all.slice(0, -1);
    expect(tries.length).toBeGreaterThan(35);
    expect(all.map((event) => event['delivery-status']['attempt-no'])).toEqual(all.map((_, index) => index + 1));
    tries.forEach((event, index) => {
      expect(event).toMatchObject({ event: 'failed', severity: 'temporary', 'delivery-status': { code: 451 } });
      const delay = DELAYS[Math.min(index, DELAYS.length - 1)] ?? 0;
      const wait = ((all[index + 1]?.timestamp ?? 0) - event.timestamp) * 1_000;
      // The last one comes when it expires, however soon.
      if (index < tries.length - 1) expect(wait).toBeGreaterThanOrEqual(0.8 * delay - 10);
      // What the attempt itself took, on a busy machine.
      expect(wait).toBeLessThan(1.2 * delay + 60_000);
    });
  }, 280_000);

  it('was sent at its time meanwhile, once', async () => {
    expect(await arrived(scheduled)).toBe(1);
    const delivered = await events(scheduled);
    expect(delivered).toMatchObject([{ event: 'delivered', 'delivery-status': { 'attempt-no': 1 } }]);
    const at = (delivered[0]?.timestamp ?? 0) * 1_000;
    expect(at).toBeGreaterThanOrEqual(deliverAt);
    // The clock is moved on from one retry of the other to the next.
    expect(at).toBeLessThan(deliverAt + 1.2 * 4 * HOUR + 60_000);
  });

  it('is never sent when it was dropped', async () => {
    await fetch(`${own.platform.gateway}/v4/domains/${own.demo.domain}`, {
      method: 'PUT',
      headers: { authorization: basic(own.demo.apiKey) },
      body: new URLSearchParams({ message_expiry: '0' }),
    });
    await accepted(dropped, Math.floor((time.now() + DAY) / 1_000) * 1_000);
    expect(await until(async () => (await rows()).length === 1, 30_000, 100)).toBe(true);
    const answer = await fetch(`${own.platform.gateway}/v3/${own.demo.domain}/envelopes`, {
      method: 'DELETE',
      headers: { authorization: basic(own.demo.apiKey) },
    });
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'done' }]);
    const told = async () => (await events(dropped)).length > 0;
    expect(await until(told, 30_000, 300)).toBe(true);
    expect(await events(dropped)).toMatchObject([{ event: 'failed', severity: 'permanent', reason: 'generic' }]);
    expect(await rows()).toEqual([]);
    time.forward(2 * DAY);
    await accepted('ok+after@world.example');
    expect(await until(async () => (await arrived('ok+after@world.example')) === 1, 30_000, 100)).toBe(true);
    expect(await arrived(dropped)).toBe(0);
  }, 120_000);
});
