import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { Vault } from '@lethe/vault';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ShredRepository } from '../src/shred/shred.repository.ts';
import { accept, send, type AcceptedMail } from './support/mail.ts';
import { watchEvents } from './support/observed.ts';
import { scopeOf, somebody } from './support/plant.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

describe('a message that is shredded after its last recipient', () => {
  let around: Surroundings;
  let service: CreatedService;
  let shred: ShredRepository;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    const settings = { SHRED_POLL_MS: '100', RETENTION_WORK_MS: '200' };
    around = await surroundings(inject('stores'), settings, { greylistMs: 2_000 });
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
    shred = service.app.get(ShredRepository, { strict: false });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  const to = (...words: string[]) => ({ to: words.map(somebody), record: { shredAfter: words.length } });
  const isGivenUp = async ({ messageId }: AcceptedMail): Promise<boolean> =>
    (await around.givenUp()).includes(messageId);
  const endedOf = async ({ messageId }: AcceptedMail): Promise<string | undefined> => {
    const { rows } = await around.database.query('select ended::text as ended from shred where message_id = $1', [
      messageId,
    ]);
    return rows[0]?.ended;
  };
  const inTime = (condition: () => Promise<boolean>) => until(condition, 15_000, 50);

  it.each([
    ['delivered', 'ok'],
    ['failed for good', '550'],
  ])('is given up when it was %s', async (_, word) => {
    const mail = await send(around, to(word));
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
    // And nothing is kept of it here.
    expect(await inTime(async () => (await endedOf(mail)) === undefined)).toBe(true);
  });

  it('is not before its last recipient has ended, whatever became of the others', async () => {
    const mail = await send(around, to('ok', 'greylist', '550'));
    expect(await inTime(async () => (await endedOf(mail)) === '101')).toBe(true);
    expect(await isGivenUp(mail)).toBe(false);
    await events.next(mail.messageId, 'failed', 1);
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
    expect(events.of(mail.messageId).filter(({ type }) => type === 'delivered')).toHaveLength(2);
  });

  it('is when it has expired', async () => {
    const mail = await send(around, { ...to('temperror'), record: { shredAfter: 1, expiresAt: Date.now() + 1_500 } });
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
    expect(events.of(mail.messageId).at(-1)).toMatchObject({ type: 'failed' });
  });

  it('is when who waited is erased', async () => {
    const mail = await send(around, to('ok', 'temperror'));
    expect(await inTime(async () => (await endedOf(mail)) === '10')).toBe(true);
    const { subject } = mail.records[1].recipient;
    await around.cutOff(subject);
    const holder = service.app.get(PersonalDataHolder, { strict: false });
    expect((await holder.erase(scopeOf(around, subject))).removed).toEqual({ deferred: 1 });
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
  });

  it('is not by one recipient who ends twice', async () => {
    const [mail] = await accept(around, [to('ok', 'ok')]);
    const [first, second] = mail.records;
    for (let time = 0; time < 2; time += 1) await shred.ended(first);
    expect(await endedOf(mail)).toBe('10');
    await shred.ended(second);
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
    // The same, said at once: in one statement.
    const [together] = await accept(around, [to('ok', 'ok')]);
    await Promise.all([0, 0, 1, 0, 1].map((ordinal) => shred.ended(together.records[ordinal])));
    expect(await inTime(() => isGivenUp(together))).toBe(true);
  });

  it('is told of again until the vault has heard it', async () => {
    const vault = service.app.get(Vault, { strict: false });
    const telling = vi.spyOn(vault, 'giveUpContentKeys').mockRejectedValue(new Error('the vault is away'));
    const mail = await send(around, to('ok'));
    expect(await inTime(async () => (await endedOf(mail)) === '1' && telling.mock.calls.length > 1)).toBe(true);
    telling.mockRestore();
    expect(await inTime(() => isGivenUp(mail))).toBe(true);
  });

  it('is forgotten here at its drop time, whoever still waits', async () => {
    const [due, waiting] = await accept(around, [to('ok', 'ok'), to('ok', 'ok')]);
    await shred.ended({ ...due.records[0], dropAt: Date.now() - 1 });
    await shred.ended(waiting.records[0]);
    expect(await inTime(async () => (await endedOf(due)) === undefined)).toBe(true);
    expect(await endedOf(waiting)).toBe('10');
  });

  it('is no other: one that is kept for its time is never given up', async () => {
    const kept = await send(around, { to: [somebody('ok')] });
    await events.next(kept.messageId, 'delivered', 1);
    const shredded = await send(around, to('ok'));
    expect(await inTime(() => isGivenUp(shredded))).toBe(true);
    expect([await isGivenUp(kept), await endedOf(kept)]).toEqual([false, undefined]);
  });
});
