import { randomUUID } from 'node:crypto';
import { SUPPRESSION_ENTRIES, suppressionKey } from '@lethe/contracts';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SettingsService } from '../src/settings/settings.service.ts';
import { publish, send, type AcceptedMail } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { scopeOf, somebody } from './support/plant.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

const HOUR = 3_600_000;
/** Long enough to see that it waits. */
const SOON_MS = 5_000;

describe('mail for later', () => {
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

  const rowOf = async ({ messageId }: AcceptedMail) =>
    (await around.database.query('select * from deferred where message_id = $1', [messageId])).rows[0];
  /** It lies in the queue, and waits for its time. */
  async function scheduled(to: string, deliverAt: number): Promise<AcceptedMail> {
    const mail = await send(around, { to: [to], record: { deliverAt, expiresAt: deliverAt + HOUR } });
    expect(await until(async () => (await rowOf(mail)) !== undefined, 15_000, 20)).toBe(true);
    expect(await rowOf(mail)).toMatchObject({
      attempt: 1,
      next_at: new Date(deliverAt),
      started: false,
      maybe_duplicate: false,
    });
    return mail;
  }
  /** As if its time had come. */
  const due = ({ messageId }: AcceptedMail) =>
    around.database.query('update deferred set next_at = now() where message_id = $1', [messageId]);

  it('waits in the queue, and is sent at its time, once, as a first attempt', async () => {
    const to = somebody();
    const deliverAt = Date.now() + SOON_MS;
    const mail = await scheduled(to, deliverAt);
    // The same record a second time, as a relay repeats it.
    await publish(around, mail.records, true);
    const delivered = await events.next(mail.messageId, 'delivered', 1);
    expect(delivered.at).toBeGreaterThanOrEqual(deliverAt);
    expect(delivered).toMatchObject({ deliveryStatus: { maybeDuplicate: false } });
    const copies = await received(around, to);
    expect(copies).toHaveLength(1);
    expect(Date.parse(copies[0].receivedAt)).toBeGreaterThanOrEqual(deliverAt - 1);
    expect(events.of(mail.messageId)).toHaveLength(1);
    expect(await until(async () => (await rowOf(mail)) === undefined, 5_000, 20)).toBe(true);
  });

  it('is not sent before its time, whatever wakes it', async () => {
    const to = somebody();
    const deliverAt = Date.now() + HOUR;
    const mail = await scheduled(to, deliverAt);
    await due(mail);
    const asleep = async () => (await rowOf(mail))?.next_at.getTime() === deliverAt;
    expect(await until(asleep, 10_000, 20)).toBe(true);
    expect(await rowOf(mail)).toMatchObject({ attempt: 1, started: false, lease_until: null });
    expect(await received(around, to)).toEqual([]);
  });

  it('survives a restart', { timeout: 60_000 }, async () => {
    const to = somebody();
    const deliverAt = Date.now() + SOON_MS;
    const mail = await scheduled(to, deliverAt);
    await service.app.close();
    expect(await rowOf(mail)).toBeDefined();
    service = await startDelivery(around.environment);
    const { at } = await events.next(mail.messageId, 'delivered', 1, 30_000);
    expect(at).toBeGreaterThanOrEqual(deliverAt);
    expect(await received(around, to)).toHaveLength(1);
  });

  it('is not sent to who said stop meanwhile', async () => {
    const to = somebody();
    const mail = await scheduled(to, Date.now() + SOON_MS);
    const pseudonym = await around.ingest.vault.pseudonym(around.accountId, to);
    const key = suppressionKey(pseudonym.toString('base64url'), around.domain.domainId);
    await around.settings.suppressions.publish(SUPPRESSION_ENTRIES, [
      { key, value: { reasons: ['complaint'], at: Date.now() }, id: randomUUID(), type: 'suppression' },
    ]);
    const settings = service.app.get(SettingsService);
    expect(await until(() => settings.suppression(key) !== undefined, SOON_MS, 5)).toBe(true);
    expect(await events.next(mail.messageId, 'failed', 1)).toMatchObject({
      severity: 'permanent',
      reason: 'suppress-complaint',
    });
    expect(await received(around, to)).toEqual([]);
  });

  it('goes with the person it is for: at their erasure, and at its time if it was overlooked', async () => {
    const [erased, overlooked] = [somebody(), somebody()];
    const [first, second] = [
      await scheduled(erased, Date.now() + HOUR),
      await scheduled(overlooked, Date.now() + 5_000),
    ];
    const holder = service.app.get(PersonalDataHolder, { strict: false });
    const [one, other] = [await around.subjectOf(erased), await around.subjectOf(overlooked)];
    await around.cutOff(one, other);
    await holder.fence(scopeOf(around, one));
    expect(await holder.erase(scopeOf(around, one))).toMatchObject({ removed: { deferred: 1 } });
    expect(await holder.verify(scopeOf(around, one))).toEqual({});
    expect(await rowOf(first)).toBeUndefined();
    expect(await until(async () => (await rowOf(second)) === undefined, 15_000, 50)).toBe(true);
    expect([...events.of(first.messageId), ...events.of(second.messageId)]).toEqual([]);
    expect([...(await received(around, erased)), ...(await received(around, overlooked))]).toEqual([]);
  });
});
