import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { send } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

/** Heartbeats are missed for five seconds before a table counts as not fresh (contracts: FRESH_WITHIN_MS). */
const STALE_MS = 6_500;

describe('delivery fails closed', () => {
  let around: Surroundings;
  let service: CreatedService;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'));
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
  });
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  it('sends nothing, retries included, while a table is not fresh, and everything after', async () => {
    const waiting = await send(around, { to: ['temperror@world.example'] });
    await events.next(waiting.messageId, 'failed', 1);
    around.heartbeats.stop();
    await new Promise((resolve) => setTimeout(resolve, STALE_MS));
    const before = events.of(waiting.messageId).length;
    const { messageId } = await send(around, { to: ['ok@world.example'] });
    // Several retry delays and handler retries.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(events.of(messageId)).toEqual([]);
    expect(await received(around, 'ok@world.example')).toEqual([]);
    expect(events.of(waiting.messageId)).toHaveLength(before);
    around.heartbeats.start();
    await events.next(messageId, 'delivered', 1, 20_000);
    expect(await until(() => events.of(waiting.messageId).length > before, 10_000)).toBe(true);
  });

  it('contacts nothing that is not on loopback', async () => {
    await fetch(`${around.world.http}/dns`, {
      method: 'PUT',
      body: JSON.stringify({ name: 'mx.faraway.example', type: 'A', value: '192.0.2.25' }),
    });
    await fetch(`${around.world.http}/dns`, {
      method: 'PUT',
      body: JSON.stringify({ name: 'faraway.example', type: 'MX', value: '10 mx.faraway.example' }),
    });
    const { messageId } = await send(around, { to: ['someone@faraway.example'] });
    expect(await events.next(messageId, 'failed', 1)).toMatchObject({
      severity: 'temporary',
      deliveryStatus: { code: 498, enhancedCode: '4.7.0' },
    });
  });
});
