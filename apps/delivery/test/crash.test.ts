import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { accept, publish } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const MESSAGES = 1_500;
const KILLS = 3;
const APP = fileURLToPath(new URL('..', import.meta.url));

describe('a delivery that is killed', () => {
  let around: Surroundings;
  let events: Awaited<ReturnType<typeof watchEvents>>;
  let child: ChildProcess | undefined;

  /** Built code: `npm run build`. */
  function start(): void {
    child = spawn(process.execPath, ['dist/main.js'], {
      cwd: APP,
      env: { ...around.environment, PATH: process.env['PATH'] ?? '', KAFKAJS_NO_PARTITIONER_WARNING: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  async function kill(): Promise<void> {
    const exited = once(child as ChildProcess, 'exit');
    child?.kill('SIGKILL');
    await exited;
  }

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
  });
  afterAll(async () => {
    if (child?.exitCode === null && child.signalCode === null) await kill();
    await events?.stop();
    await around?.end();
  });

  it('loses nothing, and every copy but one says that it may be a duplicate', { timeout: 240_000 }, async () => {
    const to = (index: number): string =>
      index % 10 === 0 ? `greylist+${index}@world.example` : `ok+${index}@world.example`;
    // In parts: the test's own vault trusts its keys only while it can hear revocations, so it must not be kept from listening.
    for (let from = 0; from < MESSAGES; from += 100) {
      const mails = await accept(
        around,
        Array.from({ length: 100 }, (_, index) => ({ to: [to(from + index)] })),
      );
      await publish(
        around,
        mails.flatMap(({ records }) => records),
      );
    }
    start();
    for (let kills = 1; kills <= KILLS; kills += 1) {
      const enough = events.all.length + Math.floor(MESSAGES / (KILLS + 2));
      expect(await until(() => events.all.length >= enough, 60_000, 5)).toBe(true);
      await kill();
      start();
    }
    const delivered = () =>
      new Set(events.all.filter(({ type }) => type === 'delivered').map(({ messageId }) => messageId));
    const all = await until(() => delivered().size === MESSAGES, 90_000, 100);
    const { rows: queue } = await around.database.query(
      'select partition, attempt, next_at, started, lease_until from deferred',
    );
    expect({ all, delivered: delivered().size, queue }).toEqual({ all: true, delivered: MESSAGES, queue: [] });

    const copies = new Map<string, { marked: number; unmarked: number }>();
    for (const { to, raw } of await received(around)) {
      const known = copies.get(to[0]) ?? { marked: 0, unmarked: 0 };
      known[raw.includes('X-Lethe-Delivery: maybe-duplicate') ? 'marked' : 'unmarked'] += 1;
      copies.set(to[0], known);
    }
    expect(copies.size).toBe(MESSAGES);
    const unmarkedTwice = [...copies.values()].filter(({ unmarked }) => unmarked > 1);
    expect(unmarkedTwice).toEqual([]);
    const marked = [...copies.values()].reduce((sum, each) => sum + each.marked, 0);
    const twice = [...copies.values()].filter(({ marked, unmarked }) => marked + unmarked > 1).length;
    console.log(`${KILLS} kills, ${MESSAGES} messages: ${marked} copies marked, ${twice} recipients got more than one`);
  });
});
