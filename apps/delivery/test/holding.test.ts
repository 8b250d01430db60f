import { randomUUID } from 'node:crypto';
import { DOMAIN_SETTINGS, type DomainSettings } from '@lethe/contracts';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { AttemptService } from '../src/dispatch/attempt.service.ts';
import { SettingsService } from '../src/settings/settings.service.ts';
import { SmtpConnection } from '../src/smtp/smtp-connection.ts';
import { call, OPERATOR, type Answer } from './support/door.ts';
import { accept, publish, send, type AcceptedMail, type Mail } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { somebody } from './support/plant.ts';
import { serveDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;
/** `slow@` waits so long before it takes a recipient. */
const SLOW_MS = 3_000;
const OFF = { is_disabled: false, disabled: { until: '', reason: '' } };
const cancelled = {
  severity: 'permanent',
  reason: 'generic',
  noSuchMailbox: false,
  deliveryStatus: { code: 550, enhancedCode: '5.7.0' },
};

/** Two processes on one queue: what one is told, both do. */
describe('mail that is held back', () => {
  let around: Surroundings;
  let services: CreatedService[];
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    around = await surroundings(inject('stores'), { RETRY_DELAYS: '1h' }, { slowMs: SLOW_MS });
    events = await watchEvents(around);
    services = [await serveDelivery(around.environment), await serveDelivery(around.environment)];
  }, 120_000);
  /** Until then it answers 503: after a start, after what a test kept from it, and where a busy machine was late. */
  beforeEach(async () => {
    const fresh = () => services.every(({ app }) => app.get(SettingsService).fresh());
    if (!(await until(fresh, 30_000, 20))) throw new Error('Not within 30 s: fresh settings');
  }, 40_000);
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await Promise.all((services ?? []).map(({ app }) => app.close()));
    await events?.stop();
    await around?.end();
  });

  const ask = (way: readonly [string, string], more: Parameters<typeof call>[3] = {}, at = 0): Promise<Answer> =>
    call(around, services[at], way, more);
  const queues = () => `/v3/domains/${around.domain.name}/sending_queues`;
  const clear = (more: Parameters<typeof call>[3] = {}, at = 0) =>
    ask(['DELETE', `/v3/${around.domain.name}/envelopes`], more, at);
  const own = () => `/v1/pauses/domains/${around.domain.name}`;
  const pause = (body?: Record<string, string>) => ask(['PUT', own()], body ? { body } : {});
  const resume = () => ask(['DELETE', own()], {}, 1);
  /** As both processes say. */
  const shown = async () => [(await ask(['GET', queues()])).body, (await ask(['GET', queues()], {}, 1)).body];

  const rowOf = async ({ messageId }: AcceptedMail) =>
    (await around.database.query('select * from deferred where message_id = $1', [messageId])).rows[0];
  /** It lies in the queue, as `state` says. */
  async function queued(mail: Mail, state: (row: any) => boolean = () => true): Promise<AcceptedMail> {
    const sent = await send(around, mail);
    expect(await until(async () => state((await rowOf(sent)) ?? {}), 20_000, 20)).toBe(true);
    return sent;
  }
  const paused = (mail: Mail) => queued(mail, ({ paused_by: by }) => typeof by === 'string');
  const arrived = (to: string) => until(async () => (await received(around, to)).length === 1, 20_000, 50);
  /** Another domain of the account, which both processes know. */
  async function otherDomain(): Promise<DomainSettings> {
    const value = { ...around.domain, domainId: randomUUID(), name: 'other.example' };
    await around.settings.domains.publish(DOMAIN_SETTINGS, [
      { key: value.domainId, value, id: randomUUID(), type: 'domain-settings' },
    ]);
    const known = () => services.every(({ app }) => app.get(SettingsService).domain(value.domainId) !== undefined);
    expect(await until(known, 10_000, 20)).toBe(true);
    return value;
  }

  describe('given up', () => {
    it('scheduled and deferred mail of the domain ends with an event each, and that of others stays', async () => {
      const { domainId } = await otherDomain();
      const deliverAt = Date.now() + HOUR;
      const later = { deliverAt, expiresAt: deliverAt + HOUR };
      const [scheduled, deferred, others] = await Promise.all([
        queued({ to: [somebody()], record: later }),
        queued({ to: [somebody('temperror')] }, ({ attempt }) => attempt === 2),
        queued({ to: [somebody()], record: { ...later, domainId } }),
      ]);
      expect(await clear()).toEqual({ status: 200, body: { message: 'done' } });
      expect(await events.next(scheduled.messageId, 'failed', 1)).toMatchObject(cancelled);
      expect(await events.next(deferred.messageId, 'failed', 2)).toMatchObject(cancelled);
      for (const mail of [scheduled, deferred]) {
        expect(await until(async () => (await rowOf(mail)) === undefined, 10_000, 20)).toBe(true);
      }
      expect(await rowOf(others)).toMatchObject({ next_at: new Date(deliverAt) });
      expect(events.of(others.messageId)).toEqual([]);
    });

    it('by one call of an account at a time', async () => {
      const both = await Promise.all([clear(), clear()]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429]);
      expect(both).toContainEqual({
        status: 429,
        body: { message: 'Queues of the account are being cleared: wait for that' },
      });
      expect((await clear()).status).toBe(200);
    });

    it('what Kafka still has is not sent either, nor what is handed in again; what comes after it is', async () => {
      const [to, next] = [somebody(), somebody()];
      const [before] = await accept(around, [{ to: [to] }]);
      expect((await clear({}, 1)).status).toBe(200);
      await publish(around, before.records);
      expect(await events.next(before.messageId, 'failed', 1)).toMatchObject(cancelled);
      await publish(around, before.records, true);
      await send(around, { to: [next] });
      expect(await arrived(next)).toBe(true);
      expect(await received(around, to)).toEqual([]);
    });

    it('after the answer no transaction begins, whatever was allowed before; one that has begun ends', async () => {
      const sending = vi.spyOn(SmtpConnection.prototype, 'send');
      const begun = (): string[] => sending.mock.calls.map(([{ to }]) => to);
      const slow = somebody('slow');
      await send(around, { to: [slow] });
      await vi.waitFor(() => expect(begun()).toContain(slow), 20_000);
      const mails = await accept(
        around,
        Array.from({ length: 300 }, () => ({ to: [somebody()] })),
      );
      const publishing = publish(
        around,
        mails.flatMap(({ records }) => records),
      );
      await vi.waitFor(() => expect(begun().length).toBeGreaterThan(10), 20_000);
      expect((await clear()).status).toBe(200);
      const atAnswer = begun().length;
      await publishing;
      const ended = () => mails.every(({ messageId }) => events.of(messageId).length > 0);
      expect(await until(ended, 30_000, 50)).toBe(true);
      expect(begun()).toHaveLength(atAnswer);
      expect(await arrived(slow)).toBe(true);
    });

    it('is of the caller’s own domain', async () => {
      expect(await clear({ account: randomUUID() })).toMatchObject({
        status: 404,
        body: { message: 'Domain not found' },
      });
    });
  });

  describe('paused', () => {
    it('by its account: waits, says so, and goes when it is resumed', { timeout: 60_000 }, async () => {
      const off = { regular: OFF, scheduled: OFF };
      expect(await shown()).toEqual([off, off]);
      const queue = { is_disabled: true, disabled: { until: '', reason: 'Paused by the account' } };
      const on = { regular: queue, scheduled: queue };
      expect(await pause()).toMatchObject({
        status: 200,
        body: { message: 'Sending is paused', pause: { scope: 'domain', target: around.domain.domainId, until: '' } },
      });
      expect(await shown()).toEqual([on, on]);
      const [first, second] = [somebody(), somebody()];
      const one = await paused({ to: [first] });
      const deliverAt = Date.now() + 1_000;
      const other = await paused({ to: [second], record: { deliverAt, expiresAt: deliverAt + HOUR } });
      expect((await rowOf(one)).next_at.getTime()).toBe(one.records[0].expiresAt);
      expect([...events.of(one.messageId), ...events.of(other.messageId)]).toEqual([]);

      expect(await resume()).toEqual({ status: 200, body: { message: 'Sending is resumed' } });
      expect(await shown()).toEqual([off, off]);
      expect(await Promise.all([arrived(first), arrived(second)])).toEqual([true, true]);
      for (const { messageId } of [one, other]) {
        expect(await events.next(messageId, 'delivered', 1)).toMatchObject({
          deliveryStatus: { maybeDuplicate: false },
        });
      }
    });

    it('ends by itself at its time', { timeout: 60_000 }, async () => {
      const end = Math.ceil(Date.now() / 1_000 + 5) * 1_000;
      expect((await pause({ until: String(end / 1_000) })).body).toMatchObject({
        pause: { until: new Date(end).toUTCString() },
      });
      expect(await shown()).toMatchObject(
        [1, 2].map(() => ({ regular: { is_disabled: true, disabled: { until: new Date(end).toUTCString() } } })),
      );
      const to = somebody();
      const mail = await paused({ to: [to] });
      const delivered = await events.next(mail.messageId, 'delivered', 1, 30_000);
      expect(delivered.at).toBeGreaterThanOrEqual(end);
      expect((await ask(['GET', queues()])).body).toEqual({ regular: OFF, scheduled: OFF });
    });

    it('expires all the same', { timeout: 60_000 }, async () => {
      await pause();
      const mail = await paused({ to: [somebody()], record: { expiresAt: Date.now() + 5_000 } });
      expect(await events.next(mail.messageId, 'failed', 1, 30_000)).toMatchObject({
        severity: 'permanent',
        reason: 'old',
      });
      await resume();
    });

    it('can be given up', { timeout: 60_000 }, async () => {
      await pause();
      const mail = await paused({ to: [somebody()] });
      expect((await clear()).status).toBe(200);
      expect(await events.next(mail.messageId, 'failed', 1)).toMatchObject(cancelled);
      await resume();
    });

    it('by the operator: an account', { timeout: 60_000 }, async () => {
      const path = `/v1/pauses/accounts/${around.accountId}`;
      expect(await ask(['PUT', path], OPERATOR)).toMatchObject({ status: 200, body: { message: 'Sending is paused' } });
      const to = somebody();
      const mail = await paused({ to: [to] });
      // Its owner can see it, and not end it.
      expect((await resume()).status).toBe(404);
      expect(await shown()).toMatchObject(
        [1, 2].map(() => ({
          scheduled: { is_disabled: true, disabled: { reason: 'The account is paused by the operator' } },
        })),
      );
      expect((await ask(['GET', '/v1/pauses'], OPERATOR, 1)).body.items).toMatchObject([
        { scope: 'account', target: around.accountId },
      ]);
      expect((await rowOf(mail)).paused_by).not.toBeNull();
      expect(await ask(['DELETE', path], OPERATOR)).toEqual({ status: 200, body: { message: 'Sending is resumed' } });
      expect(await arrived(to)).toBe(true);
    });

    it('by the operator: a destination, and no other', { timeout: 60_000 }, async () => {
      const path = '/v1/pauses/destinations/World.Example';
      expect((await ask(['PUT', path], OPERATOR)).body).toMatchObject({
        pause: { scope: 'destination', target: 'world.example', until: '' },
      });
      const to = somebody();
      const mail = await paused({ to: [to] });
      const elsewhere = await send(around, { to: ['someone@nowhere.example'] });
      await events.next(elsewhere.messageId, 'delivered', 1);
      expect((await ask(['GET', queues()])).body).toEqual({ regular: OFF, scheduled: OFF });
      expect(await rowOf(mail)).toBeDefined();
      expect((await ask(['DELETE', path], OPERATOR)).status).toBe(200);
      expect(await arrived(to)).toBe(true);
    });

    it.each([
      ['PUT', '/v1/pauses/accounts/019ab7a0-0000-7000-8000-00000000000a', 404, 'Account not found'],
      ['PUT', '/v1/pauses/destinations/nowhere', 400, 'name: is not the domain of an address'],
      ['DELETE', '/v1/pauses/destinations/world.example', 404, 'Pause not found'],
    ])('%s %s: %d', async (method, path, status, message) => {
      expect(await ask([method, path], OPERATOR)).toMatchObject({ status, body: { message } });
      expect(await ask([method, path])).toMatchObject({
        status: 403,
        body: { message: 'Only an operator may do that' },
      });
    });

    it.each([
      [{ until: 'tomorrow' }, 'until: must be an RFC 2822 date or epoch seconds'],
      [{ reason: 'none' }, 'reason: is not a known field'],
    ])('%j: 400', async (body, message) => {
      expect(await pause(body as Record<string, string>)).toMatchObject({ status: 400, body: { message } });
    });

    it('nobody else’s domain', async () => {
      expect(await ask(['PUT', own()], { account: randomUUID() })).toMatchObject({
        status: 404,
        body: { message: 'Domain not found' },
      });
    });
  });

  it('nothing is sent while it cannot be known what is held back', { timeout: 60_000 }, async () => {
    const to = somebody();
    await around.database.query('alter table hold rename to hold_away');
    try {
      const stale = () => services.every(({ app }) => !app.get(SettingsService).fresh());
      expect(await until(stale, 10_000, 20)).toBe(true);
      expect((await ask(['GET', queues()])).status).toBe(503);
      const trying = vi.spyOn(AttemptService.prototype, 'run');
      const { messageId } = await send(around, { to: [to] });
      const tries = () => trying.mock.calls.filter(([{ record }]) => record.messageId === messageId).length;
      expect(await until(() => tries() > 1, 20_000, 20)).toBe(true);
      expect(await received(around, to)).toEqual([]);
    } finally {
      await around.database.query('alter table hold_away rename to hold');
    }
    expect(await arrived(to)).toBe(true);
  });
});
