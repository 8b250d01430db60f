import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreatedService } from '@lethe/service';
import { moments, mostAtOnce, until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { accept, publish } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const ADDRESSES = { live: '127.0.0.31', dead: '127.0.0.32', pushy: '127.0.0.33', shy: '127.0.0.34' };
const STREAM = 160;
const EVERY_MS = 50;

/** Every domain has an exchanger, and a site, of its own. */
describe('destinations that do not keep up', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-shaping-'));
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    const file = join(dir, 'shaping.json');
    writeFileSync(file, JSON.stringify([{ match: 'mx.pushy.example', sessions: 8 }]));
    const world = { slowMs: 100, smtpAddresses: Object.values(ADDRESSES) };
    around = await surroundings(inject('stores'), { SHAPING: file, SMTP_COMMAND_TIMEOUT_MS: '6000' }, world);
    for (const [name, address] of Object.entries(ADDRESSES)) {
      await dns(`mx.${name}.example`, 'A', address);
      await dns(`${name}.example`, 'MX', `10 mx.${name}.example`);
    }
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
    rmSync(dir, { recursive: true, force: true });
  });

  const dns = (name: string, type: string, value: string): Promise<Response> =>
    fetch(`${around.world.http}/dns`, { method: 'PUT', body: JSON.stringify({ name, type, value }) });

  /** A steady stream to one domain, every other message to another one if it is given. Answers how long each took, in ms. */
  async function stream(name: string, besides?: string): Promise<number[]> {
    const expires = { record: { expiresAt: Date.now() + 15_000 } };
    const mails = await accept(
      around,
      Array.from({ length: STREAM }, (_, n) => [
        { to: [`ok+${name}.${n}@live.example`] },
        ...(besides === undefined ? [] : [{ to: [`${besides}+${name}.${n}@dead.example`], ...expires }]),
      ]).flat(),
    );
    const each = mails.length / STREAM;
    const published = new Map<string, number>();
    const begun = performance.now();
    for (let n = 0; n < STREAM; n += 1) {
      published.set(`ok+${name}.${n}@live.example`, Date.now());
      await publish(
        around,
        mails.slice(n * each, (n + 1) * each).flatMap(({ records }) => records),
      );
      await sleep(Math.max(0, begun + (n + 1) * EVERY_MS - performance.now()));
    }
    const arrived = async () => (await received(around)).filter(({ to }) => published.has(to[0] ?? ''));
    expect(await until(async () => (await arrived()).length === STREAM, 60_000, 500)).toBe(true);
    const took = (await arrived()).map(
      ({ to, receivedAt }) => Date.parse(receivedAt) - (published.get(to[0] ?? '') ?? 0),
    );
    // Nothing of this one runs on beside the next one.
    const ended = () =>
      mails.every(({ messageId }) =>
        events
          .of(messageId)
          .some(({ type, ...of }) => type === 'delivered' || ('severity' in of && of.severity === 'permanent')),
      );
    expect(await until(ended, 60_000)).toBe(true);
    return took;
  }
  const percentile = (values: number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;

  it('do not delay others: half of the stream goes where nobody answers', { timeout: 240_000 }, async () => {
    await stream('warm');
    const [alone, beside]: [number[], number[]] = [[], []];
    for (const n of [1, 2, 3]) {
      alone.push(percentile(await stream(`alone${n}`), 0.99));
      if (n < 3) beside.push(percentile(await stream(`beside${n}`, 'timeout'), 0.99));
    }
    console.log(
      `p99 of ${STREAM} messages, alone: ${alone.join(', ')} ms; beside as many to nobody: ${beside.join(', ')} ms`,
    );
    // It has as many sessions as it takes, and all of them are stuck.
    expect(mostAtOnce(await moments(around.world, ADDRESSES.dead))).toBe(20);
    expect(Math.min(...beside)).toBeLessThan(1.25 * Math.max(...alone) + 50);
  });

  it('are slowed down, they alone, and are as fast again once they take what comes', { timeout: 120_000 }, async () => {
    const atPushy = async () => (await moments(around.world, ADDRESSES.pushy)).length;
    const pushed = Array.from({ length: 8 }, (_, n) => ({
      to: [`pushback+${n}@pushy.example`],
      record: { expiresAt: Date.now() + 8_000 },
    }));
    const mails = await accept(around, pushed);
    await publish(
      around,
      mails.flatMap(({ records }) => records),
    );
    // Retried all the time, it is asked ever more rarely.
    expect(await until(async () => (await atPushy()) > 0, 10_000)).toBe(true);
    const beside = await stream('beside');
    expect(percentile(beside, 0.5)).toBeLessThan(1_000);
    const ended = () =>
      mails.every(({ messageId }) =>
        events.of(messageId).some((event) => event.type === 'failed' && event.severity === 'permanent'),
      );
    expect(await until(ended, 30_000)).toBe(true);
    const asked = (await moments(around.world, ADDRESSES.pushy)).filter(({ what }) => what === 'begun').length;
    // Without a pause each would have been tried every 0.7 s.
    expect(asked).toBeLessThan(40);

    const seen = await atPushy();
    const [{ records }] = await accept(around, [
      { to: Array.from({ length: 200 }, (_, n) => `slow+${n}@pushy.example`) },
    ]);
    await publish(around, records);
    const taken = async () =>
      (await moments(around.world, ADDRESSES.pushy)).filter(({ what }) => what === 'taken').length;
    expect(await until(async () => (await taken()) === 200, 90_000)).toBe(true);
    const after = (await moments(around.world, ADDRESSES.pushy)).slice(seen);
    const first = after.slice(
      0,
      after.findIndex(({ what }) => what === 'taken'),
    );
    expect(mostAtOnce(first)).toBe(1);
    expect(mostAtOnce(after)).toBe(8);
  });

  it(
    'hear first whom they have seen, so that who puts off all that are new gets its mail',
    { timeout: 180_000 },
    async () => {
      const mails = await accept(
        around,
        Array.from({ length: 30 }, (_, n) => ({ to: [`421+${n}@shy.example`] })),
      );
      await publish(
        around,
        mails.flatMap(({ records }) => records),
      );
      const delivered = () =>
        mails.filter(({ messageId }) => events.of(messageId).some(({ type }) => type === 'delivered')).length;
      // Where it hears all of them in turn, it takes none in that time.
      await until(() => delivered() === mails.length, 120_000);
      expect(delivered()).toBe(mails.length);
    },
  );
});
