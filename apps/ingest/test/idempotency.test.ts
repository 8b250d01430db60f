import { randomUUID } from 'node:crypto';
import { until } from '@lethe/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { CommitService } from '../src/accept/commit.service.ts';
import { IdempotencyRepository } from '../src/idempotency/idempotency.repository.ts';
import type { Claim } from '../src/idempotency/idempotency.service.ts';
import { holdCommits, waitingForLocks } from './support/obstacles.ts';
import { surroundings, type Answer, type Fields, type Surroundings } from './support/surroundings.ts';

let around: Surroundings;

beforeAll(async () => {
  around = await surroundings(inject('stores'), { RETENTION_WORK_MS: '200' });
  await around.replica();
  await around.replica();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => around?.close());

/** A word nobody had before: in a subject, so that its messages can be counted; they have one recipient each. */
const fresh = (): string => randomUUID();
const somebody = (word: string): string => `ok+${word}@world.example`;
const keyed = (key: string, fields: Fields, replica = 0): Promise<Answer> =>
  around.send(fields, replica, { 'idempotency-key': key });
/** Messages to that person. */
async function messagesTo(address: string): Promise<number> {
  const { rows } = await around.database.query<{ n: number }>(
    'select count(*)::int as n from message_recipient where subject_id = $1',
    [await around.subjectOf(address)],
  );
  return rows[0]?.n ?? -1;
}
/** A request with that key whose commit hangs in another process, until it ends without one. */
async function claimed(key: string): Promise<{ end(): Promise<void> }> {
  const { accountId, domain, database, vault } = around;
  const keyHash = await vault.ingest.keyedHash(accountId, 'message-idempotency-key', key);
  const client = await database.connect();
  await client.query('begin');
  const id = randomUUID();
  const claim: Claim = { id, domain, keyHash, requestHash: Buffer.alloc(0), answer: '' };
  expect((await around.apps[0].get(IdempotencyRepository, { strict: false }).claim(client, [claim])).first).toEqual(
    new Set([id]),
  );
  return {
    async end() {
      await client.query('rollback');
      client.release();
    },
  };
}
const count = async (): Promise<number> => (await around.database.query('select from idempotency')).rowCount ?? -1;

describe('a request with an Idempotency-Key', () => {
  it('is answered with the same id again, by whichever replica, and is one message', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const first = await keyed(key, { to });
    expect(first).toMatchObject({ status: 200, id: expect.stringMatching(/^<[^<>@]+@sender\.example>$/) });
    // A form has another boundary each time.
    for (const replica of [0, 1]) expect(await keyed(key, { to }, replica)).toEqual(first);
    expect(await messagesTo(to)).toBe(1);
    expect((await keyed(fresh(), { to })).id).not.toBe(first.id);
    expect((await around.send({ to })).id).not.toBe(first.id);
    expect(await messagesTo(to)).toBe(3);
  });

  it('as MIME keeps the id that its message brought', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const id = `<${fresh()}@client.example>`;
    const message = `From: a@sender.example\r\nTo: ${to}\r\nMessage-ID: ${id}\r\nSubject: x\r\n\r\nHello.\r\n`;
    const headers = { 'idempotency-key': key };
    for (const replica of [0, 1]) {
      expect(await around.sendMime({ to, message }, replica, headers)).toMatchObject({ status: 200, id });
    }
    expect(await messagesTo(to)).toBe(1);
    expect(await keyed(key, { to })).toMatchObject({ status: 409 });
  });

  it('is refused where the key was used for another request', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    expect((await keyed(key, { to })).status).toBe(200);
    for (const other of [{ to, subject: 'another' }, { to: somebody(fresh()) }, { to, 'o:tag': 'a' }]) {
      expect(await keyed(key, other, 1)).toEqual({
        status: 409,
        message: 'Idempotency-Key: was used for another request',
      });
    }
    expect(await messagesTo(to)).toBe(1);
  });

  it('may be repeated with what was missing: a refused one keeps no key', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    expect((await keyed(key, { to: 'nobody' })).status).toBe(400);
    expect((await keyed(key, { to })).status).toBe(200);
  });

  it.each(['', 'x'.repeat(257), 'ä'])('is refused with a key that is none', async (key) => {
    expect(await keyed(key, { to: somebody(fresh()) })).toEqual({
      status: 400,
      message: 'Idempotency-Key: must be 1 to 256 printable ASCII characters',
    });
  });

  it('leaves neither its key nor its id in clear', async () => {
    const [key, to] = [`for ${somebody(fresh())}`, somebody(fresh())];
    const { id = '' } = await keyed(key, { to });
    const { rows } = await around.database.query<{ text: string }>('select idempotency::text as text from idempotency');
    const all = rows.map(({ text }) => text).join('\n');
    for (const clear of [key, Buffer.from(key).toString('hex'), id.slice(1, -1), to]) expect(all).not.toContain(clear);
    expect(rows.length).toBeGreaterThan(0);
  });
});

describe('the same request at once', () => {
  it('is one message, at two replicas', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => keyed(key, { to }, index % 2)));
    expect(new Set(answers.map(({ status, id }) => `${status} ${id}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(await messagesTo(to)).toBe(1);
  });

  it('waits for the first, and those that share its commit do not', async () => {
    const [key, other, to] = [fresh(), fresh(), somebody(fresh())];
    const others = Array.from({ length: 6 }, () => somebody(fresh()));
    const [keyedToo = '', ...unkeyed] = others;
    const hanging = await claimed(key);
    let waiting = 2;
    const repetitions = [keyed(key, { to }, 1), keyed(key, { to }, 1)].map(async (answer) => {
      const { status } = await answer;
      waiting -= 1;
      return status;
    });
    const neighbours = await Promise.all([
      keyed(other, { to: keyedToo }, 1),
      ...unkeyed.map((address) => around.send({ to: address }, 1)),
    ]);
    expect(neighbours.map(({ status }) => status)).toEqual(others.map(() => 200));
    expect(waiting).toBe(2);
    await hanging.end();
    expect(await Promise.all(repetitions)).toEqual([200, 200]);
    expect(await Promise.all([to, ...others].map(messagesTo))).toEqual([1, ...others.map(() => 1)]);
  });

  it('is answered as the first is, once that is committed', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const lift = await holdCommits(around.database);
    const first = keyed(key, { to }, 0);
    await waitingForLocks(around.database, 1);
    const rest = [keyed(key, { to }, 1), keyed(key, { to, subject: 'another' }, 1)];
    await lift();
    const { id } = await first;
    const [again, another] = await Promise.all(rest);
    expect(again).toMatchObject({ status: 200, id });
    expect(another?.status).toBe(409);
    expect(await messagesTo(to)).toBe(1);
  });

  it('does not wait for ever for one that hangs', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const hanging = await claimed(key);
    expect(await keyed(key, { to })).toEqual({
      status: 503,
      message: 'Idempotency-Key: the first request with it is under way: try again',
      retryAfter: '2',
    });
    expect(await messagesTo(to)).toBe(0);
    await hanging.end();
    expect((await keyed(key, { to })).status).toBe(200);
    expect(await messagesTo(to)).toBe(1);
  });
});

describe('the first request', () => {
  it('is known after a crash between its commit and its answer', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const commits = around.apps[0].get(CommitService, { strict: false });
    const commit = commits.commit.bind(commits);
    const dying = vi.spyOn(commits, 'commit').mockImplementation(async (item) => {
      await commit(item);
      throw new Error('killed');
    });
    expect((await keyed(key, { to })).status).toBe(500);
    expect(dying).toHaveBeenCalledOnce();
    expect(await messagesTo(to)).toBe(1);
    const again = await keyed(key, { to }, 1);
    expect(again).toMatchObject({ status: 200, id: expect.any(String) });
    expect(await keyed(key, { to }, 1)).toEqual(again);
    expect(await messagesTo(to)).toBe(1);
  });

  it('is forgotten before it is a day old', async () => {
    const [key, to] = [fresh(), somebody(fresh())];
    const age = (interval: string) =>
      around.database.query('update idempotency set created_at = now() - $1::interval', [interval]);
    const first = await keyed(key, { to });
    await age('23 hours 54 minutes');
    expect(await keyed(key, { to })).toEqual(first);
    await age('23 hours 55 minutes 1 second');
    expect(await until(async () => (await count()) === 0, 10_000)).toBe(true);
    const second = await keyed(key, { to });
    expect(second.status).toBe(200);
    expect(second.id).not.toBe(first.id);
    expect(await messagesTo(to)).toBe(2);
  });
});
