import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { DeferredRepository } from '../src/deferred/deferred.repository.ts';
import { SmtpConnection } from '../src/smtp/smtp-connection.ts';
import { publish, send } from './support/mail.ts';
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

  it('is sent once, or marked, where the queue took it without an answer', { timeout: 90_000 }, async () => {
    const to = 'ok+unanswered@world.example';
    const copies = async () =>
      (await received(around, to)).map(({ raw }) => raw.toString().includes('maybe-duplicate'));
    const repository = service.app.get(DeferredRepository);
    const put = repository.put.bind(repository);
    // The database dies behind its commit. The queue's turn comes after Kafka's, which has the record still.
    const putting = vi.spyOn(repository, 'put').mockImplementationOnce(async (attempt) => {
      await put(attempt, Date.now() + 8_000);
      throw new Error('Connection terminated unexpectedly');
    });
    // One waits for the other's session.
    const sending = vi.spyOn(SmtpConnection.prototype, 'send');
    await send(around, { to: ['slow+first@world.example'] });
    await vi.waitFor(() => expect(sending).toHaveBeenCalled(), 10_000);
    sending.mockRestore();
    const { messageId, records } = await send(around, { to: [to] });
    await events.next(messageId, 'delivered', 1, 40_000);
    expect(putting).toHaveBeenCalled();
    putting.mockRestore();
    const gone = async () =>
      (await around.database.query('select from deferred where message_id = $1', [messageId])).rows.length === 0;
    expect(await until(gone, 5_000)).toBe(true);
    expect(await copies()).toEqual([false]);
    // What comes once more finds that it was sent, although the queue has done that.
    await publish(around, records);
    const { messageId: later } = await send(around, { to: ['ok+later@world.example'] });
    await events.next(later, 'delivered', 1, 20_000);
    expect(await copies()).toEqual([false]);
  });
});
