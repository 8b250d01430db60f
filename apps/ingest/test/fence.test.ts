import { randomUUIDv7 } from 'node:crypto';
import { PersonalDataHolder } from '@lethe/privacy-holder';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { followed, holdCommits, waitingForLocks } from './support/obstacles.ts';
import { sent, somebody } from './support/plant.ts';
import { surroundings, type Surroundings } from './support/surroundings.ts';

describe('a fence in ingest', () => {
  let around: Surroundings;
  let first: NestFastifyApplication;
  let holder: PersonalDataHolder;
  let lift: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    // What is handed in at the same moment shares a transaction.
    around = await surroundings(inject('stores'), { COMMIT_LINGER_MS: '50' });
    [first] = [await around.replica(), await around.replica()];
    holder = first.get(PersonalDataHolder, { strict: false });
  });
  afterEach(async () => {
    await lift?.();
    lift = undefined;
    vi.restoreAllMocks();
  });
  afterAll(() => around?.close());

  const hold = async (): Promise<void> => {
    const lifted = await holdCommits(around.database);
    lift = async () => {
      lift = undefined;
      await lifted();
    };
  };
  /** What a person who is known already is to ingest. */
  const known = async (): Promise<{ address: string; subject: string }> => {
    const address = somebody();
    return { address, subject: await around.subjectOf(address) };
  };
  const refused = { status: 503, message: 'an erasure is under way: try again', retryAfter: '2' };
  const mailsOf = async (subject: string): Promise<number> => {
    const { rowCount } = await around.database.query('select from message_recipient where subject_id = $1', [subject]);
    return rowCount ?? 0;
  };

  it.each([0, 1])(
    'refuses a message that was sealed before and commits after, at replica %i, and it alone',
    async (replica) => {
      const { address, subject } = await known();
      const other = await known();
      await hold();
      const answers = Promise.all([
        around.send({ to: address }, replica),
        around.send({ to: other.address, 'h:Reply-To': other.address }, replica),
        around.send({ to: 'someone@world.example', from: `Sender <${address}>` }, replica),
      ]);
      await waitingForLocks(around.database, 1);
      await around.cutOff(subject);
      // Somebody new with the same address: nothing of the erased one, so nothing holds it up for long.
      await vi.waitFor(async () => expect(await around.subjectOf(address)).not.toBe(subject), 2_000);
      const fencing = followed(first, 'writersLeft', holder.fence(around.scope(subject)));
      await fencing.keptWaiting();
      await lift?.();
      expect(await answers).toEqual([
        refused,
        expect.objectContaining({ status: 200, message: 'Queued. Thank you.' }),
        refused,
      ]);
      await vi.waitFor(() => expect(fencing.over()).toBe(true), 5_000);
      expect(await mailsOf(subject)).toBe(0);
      expect(await holder.verify(around.scope(subject))).toEqual({});
      expect(await mailsOf(other.subject)).toBe(1);
      expect(await around.send({ to: address }, replica)).toMatchObject({ status: 200 });
      expect(await mailsOf(subject)).toBe(0);
    },
  );

  it('refuses a message that waits for its transaction', async () => {
    const { address, subject } = await known();
    await hold();
    const before = Promise.all([around.send({ to: somebody() }), around.send({ to: somebody() })]);
    await waitingForLocks(around.database, 1);
    const answers = Promise.all([around.send({ to: address }), around.send({ to: somebody() })]);
    await around.cutOff(subject);
    await vi.waitFor(async () => expect(await around.subjectOf(address)).not.toBe(subject), 2_000);
    await lift?.();
    expect((await before).map(({ status }) => status)).toEqual([200, 200]);
    // It had been sealed already, or it was sealed for somebody new.
    const [answer, other] = await answers;
    expect(other.status).toBe(200);
    if (answer.status !== 200) expect(answer).toEqual(refused);
    expect(await mailsOf(subject)).toBe(0);
  });

  it('refuses it too where the revocation was missed, and only then', async () => {
    const { address, subject } = await known();
    const other = await known();
    await hold();
    const answers = Promise.all([around.send({ to: address }), around.send({ to: other.address })]);
    await waitingForLocks(around.database, 1);
    await around.deafened(async () => {
      await around.cutOff(subject);
    });
    await lift?.();
    expect(await answers).toEqual([refused, expect.objectContaining({ status: 200, message: 'Queued. Thank you.' })]);
    expect(await mailsOf(subject)).toBe(0);
    expect(await mailsOf(other.subject)).toBe(1);
  });

  it('waits for a commit that was let through before', async () => {
    const { subject } = await known();
    const client = await around.database.connect();
    await client.query('begin');
    const id = randomUUIDv7();
    await client.query(
      `insert into message (id, account_id, domain_id, key_id, accepted_at, expires_at, drop_at, event_class, method,
         size, test_mode)
       values ($1, $2, $2, $2, now(), now(), date_trunc('day', now()) + interval '3 days', 'e30', 'http', 1, false)`,
      [id, around.accountId],
    );
    await client.query(`insert into message_recipient values ($1, 0, $2, 'to', 'x')`, [id, subject]);
    const fencing = followed(first, 'writersLeft', holder.fence(around.scope(subject)));
    await fencing.keptWaiting();
    await client.query('commit');
    client.release();
    await vi.waitFor(() => expect(fencing.over()).toBe(true), 5_000);
    expect(await holder.verify(around.scope(subject))).toEqual({ recipient: 1, message: 1 });
    const erased = await holder.erase(around.scope(subject));
    expect(erased.removed).toEqual({ recipient: 1, message: 1 });
  });

  it.each(['to', 'from'] as const)('waits until Kafka has what mentions them (%s)', async (field) => {
    const { address, subject } = await known();
    await sent(around, { to: 'someone@world.example', [field]: address });
    const table = field === 'to' ? 'message_recipient' : 'message_related';
    const { rows } = await around.database.query(`select message_id from ${table} where subject_id = $1`, [subject]);
    const waiting = [rows[0].message_id];
    const published = async () => {
      const { rowCount } = await around.database.query('select from outbox where id = $1', waiting);
      expect(rowCount).toBe(0);
    };
    await vi.waitFor(published, 5_000);
    // As if Kafka were away: young enough for the relay to leave it alone.
    await around.database.query(`insert into outbox values ($1, now() + interval '1 hour', '[]')`, waiting);
    const fencing = followed(first, 'waitingLeft', holder.fence(around.scope(subject)));
    await fencing.keptWaiting();
    await expect(holder.fence(around.scope(await around.subjectOf(somebody())))).resolves.toBeUndefined();
    await around.database.query('delete from outbox where id = $1', waiting);
    await vi.waitFor(() => expect(fencing.over()).toBe(true), 5_000);
  });
});
