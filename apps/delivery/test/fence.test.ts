import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { CreatedService } from '@lethe/service';
import { until } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { DeferredRepository } from '../src/deferred/deferred.repository.ts';
import { Flight, PeopleUnderWay } from '../src/dispatch/people.under-way.ts';
import { SmtpConnection } from '../src/smtp/smtp-connection.ts';
import { accept, publish, send, type AcceptedMail } from './support/mail.ts';
import { received, watchEvents } from './support/observed.ts';
import { scopeOf, somebody } from './support/plant.ts';
import { startDelivery } from './support/start.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

/** `slow@` waits so long before it takes a recipient, and again before it answers the final dot. */
const SLOW_MS = 3_000;

describe('a fence in delivery', () => {
  let around: Surroundings;
  let service: CreatedService;
  let holder: PersonalDataHolder;
  let people: PeopleUnderWay;
  let events: Awaited<ReturnType<typeof watchEvents>>;

  beforeAll(async () => {
    const sessions = { SMTP_CONNECTIONS_PER_EXCHANGER: '3', SMTP_WAIT_MS: '20000' };
    around = await surroundings(inject('stores'), sessions, { slowMs: SLOW_MS });
    events = await watchEvents(around);
    service = await startDelivery(around.environment);
    holder = service.app.get(PersonalDataHolder, { strict: false });
    people = service.app.get(PeopleUnderWay, { strict: false });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await service?.app.close();
    await events?.stop();
    await around?.end();
  });

  const subjectIn = ({ records }: AcceptedMail): string => records[0].recipient.subject;
  const underWay = async (mail: AcceptedMail): Promise<void> => {
    if (!(await until(() => !people.none(subjectIn(mail)), 20_000, 5))) throw new Error('it was never attempted');
  };
  /** Its envelope has been said and the server has not answered yet. */
  async function inEnvelope(to: string): Promise<AcceptedMail> {
    const sending = vi.spyOn(SmtpConnection.prototype, 'send');
    const mail = await send(around, { to: [to] });
    await vi.waitFor(() => expect(sending.mock.calls.map(([{ to: whom }]) => whom)).toContain(to), 20_000);
    return mail;
  }
  /** Its final dot has been written and the server has not answered yet. */
  async function afterDot(to: string): Promise<AcceptedMail> {
    const writing = vi.spyOn(Flight.prototype, 'writes');
    const mail = await send(around, { to: [to] });
    const written = (): boolean =>
      (writing.mock.contexts as Flight[]).some(
        (flight) => flight.record.messageId === mail.messageId && !flight.forgotten,
      );
    if (!(await until(written, 20_000, 5))) throw new Error('its content was never written');
    return mail;
  }
  const cutOff = async (...mails: AcceptedMail[]): Promise<void> => around.cutOff(...mails.map(subjectIn));
  const fence = (mail: AcceptedMail): Promise<void> => holder.fence(scopeOf(around, subjectIn(mail)));
  const rows = async ({ messageId }: AcceptedMail): Promise<number> => {
    const { rowCount } = await around.database.query('select from deferred where message_id = $1', [messageId]);
    return rowCount ?? 0;
  };
  /** Longer than anything that was begun before could still take. */
  const slowMailArrives = async (): Promise<void> => {
    const { messageId } = await send(around, { to: [somebody('slow')] });
    await events.next(messageId, 'delivered', undefined, 30_000);
  };

  it('ends a transaction whose final dot has not left, at once, and others go on', async () => {
    const [to, other] = [somebody('slow'), somebody('slow')];
    const kept = await inEnvelope(other);
    const mail = await inEnvelope(to);
    await cutOff(mail);
    // Heard of within a moment; the server answers much later.
    expect(await until(() => people.none(subjectIn(mail)), SLOW_MS - 1_000, 5)).toBe(true);
    await fence(mail);
    await events.next(kept.messageId, 'delivered', 1, 20_000);
    await slowMailArrives();
    expect(await received(around, to)).toEqual([]);
    expect(events.of(mail.messageId)).toEqual([]);
    expect(await rows(mail)).toBe(0);
    expect(await received(around, other)).toHaveLength(1);
  });

  it('waits for the reply where the final dot has left, and tells nobody', async () => {
    const to = somebody('slow');
    const mail = await afterDot(to);
    await cutOff(mail);
    const revoked = (): boolean =>
      [...people.all()].some(({ record, forgotten }) => forgotten && record.messageId === mail.messageId);
    expect(await until(revoked, SLOW_MS - 1_000, 5)).toBe(true);
    expect(await received(around, to)).toEqual([]);
    await fence(mail);
    const fencedAt = Date.now();
    const [copy, ...more] = await received(around, to);
    expect(more).toEqual([]);
    expect(Date.parse(copy.receivedAt)).toBeLessThan(fencedAt);
    await slowMailArrives();
    expect(await received(around, to)).toHaveLength(1);
    expect(events.of(mail.messageId)).toEqual([]);
    expect(await rows(mail)).toBe(0);
  });

  it('ends what waits for a session, or in the window, without a word to a server', async () => {
    const sending = vi.spyOn(SmtpConnection.prototype, 'send');
    const busy = await Promise.all([1, 2, 3].map(() => inEnvelope(somebody('slow'))));
    const mails = await accept(
      around,
      Array.from({ length: 6 }, () => ({ to: [somebody()] })),
    );
    await publish(
      around,
      mails.flatMap(({ records }) => records),
    );
    await Promise.all(mails.map(underWay));
    await cutOff(...mails);
    // Long before there is a session for them.
    expect(await until(() => mails.every((mail) => people.none(subjectIn(mail))), 1_500, 5)).toBe(true);
    await Promise.all(mails.map(fence));
    for (const { messageId } of busy) await events.next(messageId, 'delivered', undefined, 30_000);
    expect(mails.flatMap(({ messageId }) => events.of(messageId))).toEqual([]);
    const asked = new Set(sending.mock.calls.map(([{ to }]) => to));
    for (const mail of mails) expect(await rows(mail)).toBe(0);
    expect([...asked].filter((to) => !to.startsWith('slow'))).toEqual([]);
  });

  it('cancels what is deferred, and what is sent again finds nothing', async () => {
    const to = somebody('greylist');
    const mail = await send(around, { to: [to] });
    await events.next(mail.messageId, 'failed', 1);
    await cutOff(mail);
    await fence(mail);
    const scope = scopeOf(around, subjectIn(mail));
    const { removed } = await holder.erase(scope);
    // The next attempt may have come first and ended the row itself.
    expect(removed['deferred'] ?? 0).toBeLessThanOrEqual(1);
    expect(await holder.verify(scope)).toEqual({});
    await slowMailArrives();
    expect(await received(around, to)).toEqual([]);
    expect(events.of(mail.messageId)).toHaveLength(1);
  });

  it('asks again before the content where a revocation was missed', async () => {
    const [to, other] = [somebody('slow'), somebody('slow')];
    const kept = await inEnvelope(other);
    const mail = await inEnvelope(to);
    await around.deafened(() => cutOff(mail));
    await events.next(kept.messageId, 'delivered', undefined, 30_000);
    await slowMailArrives();
    await fence(mail);
    expect(await received(around, to)).toEqual([]);
    expect(events.of(mail.messageId)).toEqual([]);
    const [copy, ...more] = await received(around, other);
    expect(more).toEqual([]);
    expect(copy.raw.toString()).not.toContain('maybe-duplicate');
  });

  it('goes on with the same message to others, from nobody where the sender is forgotten', async () => {
    const [person, other] = [somebody('greylist'), somebody('greylist')];
    const [mail] = await accept(around, [{ to: [person, other] }]);
    await publish(around, mail.records);
    await events.next(mail.messageId, 'failed', 1);
    const dropAt = new Date(mail.records[0].dropAt);
    const sender = mail.records[0].related[0].subject;
    await around.cutOff(subjectIn(mail), sender);
    const scope = scopeOf(around, subjectIn(mail), sender);
    await holder.fence(scope);
    await around.ingest.vault.condemnContentKeys(scope.requestId, [{ messageId: mail.messageId, dropAt }]);
    await holder.erase(scope);
    expect(await holder.verify(scope)).toEqual({});
    expect(await until(async () => (await received(around, other)).length === 1, 20_000)).toBe(true);
    const [copy] = await received(around, other);
    expect(copy.from).toBe('');
    expect(await received(around, person)).toEqual([]);
  });

  it('never brings back what is erased: neither a row nor a name in the row of another', async () => {
    const deferred = service.app.get(DeferredRepository);
    const [mail] = await accept(around, [{ to: [somebody(), somebody()] }]);
    const [theirs, others] = mail.records;
    const sender = others.related[0].subject;
    const next = (record = theirs) => ({ record, partition: 0, attempt: 2, maybeDuplicate: false });
    const later = Date.now() + 3_600_000;
    await Promise.all([deferred.put(next(theirs), later), deferred.put(next(others), later)]);
    const scope = scopeOf(around, theirs.recipient.subject, sender);
    expect((await holder.erase(scope)).removed).toEqual({ deferred: 1, mention: 1 });
    // As attempts do that began before, with the records they have in memory.
    await Promise.all([deferred.again(next(theirs), later), deferred.again(next(others), later)]);
    await deferred.hold(next(others));
    expect(await holder.verify(scope)).toEqual({});
    expect(await rows(mail)).toBe(1);
    await deferred.remove(others);
  });

  it('tells which messages still wait for somebody', async () => {
    const deferred = service.app.get(DeferredRepository);
    const waiting = await send(around, { to: [somebody('temperror')] });
    await events.next(waiting.messageId, 'failed', 1);
    const sending = await inEnvelope(somebody('slow'));
    const done = await send(around, { to: [somebody()] });
    await events.next(done.messageId, 'delivered', 1);
    const ids = [waiting, sending, done].map(({ messageId }) => messageId);
    expect(await holder.inFlight?.(ids)).toEqual(ids.slice(0, 2));
    await deferred.remove(waiting.records[0]);
  });

  it('waits where another process works on a row', async () => {
    const deferred = service.app.get(DeferredRepository);
    const [mail] = await accept(around, [{ to: [somebody()] }]);
    // Leased to somebody who is not here.
    await deferred.hold({ record: mail.records[0], partition: 0, attempt: 1, maybeDuplicate: false });
    let over = false;
    const fencing = fence(mail).then(() => (over = true));
    const looks = vi.spyOn(around.database, 'query');
    for (let look = 0; look < 3; look += 1) await rows(mail);
    expect([over, looks.mock.calls.length]).toEqual([false, 3]);
    await deferred.remove(mail.records[0]);
    await fencing;
  });
});
