import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { send } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

/** `slow@` waits twice, so an attempt takes twelve seconds: more than the ten after which the queue takes a record over. */
const SLOW_MS = 6_000;

describe('a record that takes too long', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { SMTP_CONNECTIONS_PER_EXCHANGER: '1' }, { slowMs: SLOW_MS });
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  it('goes to the queue, and is sent once: under way or waiting', { timeout: 90_000 }, async () => {
    const underWay = await send(around, { to: ['slow@world.example'] });
    // It has the only session before the other one asks.
    const stats = async () => (await (await fetch(`${around.world.http}/stats`)).json()) as { connections: number };
    expect(await until(async () => (await stats()).connections === 1, 10_000)).toBe(true);
    const waiting = await send(around, { to: ['ok@world.example'] });
    const rows = async (messageId: string) =>
      (await around.database.query('select * from deferred where message_id = $1', [messageId])).rows;
    expect(await until(async () => (await rows(underWay.messageId)).length === 1, 15_000)).toBe(true);
    expect((await rows(underWay.messageId))[0]).toMatchObject({ attempt: 1, started: true });

    await events.next(underWay.messageId, 'delivered', 1, 20_000);
    await events.next(waiting.messageId, 'delivered', 1, 20_000);
    const queue = async () => (await around.database.query('select * from deferred')).rows.length;
    expect(await until(async () => (await queue()) === 0, 5_000)).toBe(true);
    for (const to of ['slow@world.example', 'ok@world.example']) {
      const copies = await received(around, to);
      expect(copies).toHaveLength(1);
      expect(copies[0].raw.toString()).not.toContain('maybe-duplicate');
    }
  });
});
