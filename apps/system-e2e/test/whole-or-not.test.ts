import { setTimeout as sleep } from 'node:timers/promises';
import { form, sendMessage, signal, until } from '@lethe/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Arrivals, duplicates } from '../support/arrivals.ts';
import { accepting, kill, revive, startOwnPlatform, type OwnPlatform } from '../support/own-platform.ts';
import { count, idle, query } from '../support/pipeline.ts';

const RECIPIENTS = 1_000;
/** A store that is away must not keep a client waiting for longer. */
const ANSWER_MS = 10_000;
/** Half of what four such messages are in records: a message is an event and a delivery per recipient. */
const QUEUE_RECORDS = 4_000;
const TOGETHER = 4;

interface Answer {
  readonly prefix: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

let own: OwnPlatform;
let arrivals: Arrivals;
let tries = 0;
let normalMs = 0;
const answers: Answer[] = [];

beforeAll(async () => {
  own = await startOwnPlatform('whole', {
    worldBytes: 1024 * 1024 * 1024,
    settings: { KAFKA_PUBLISH_QUEUE_RECORDS: String(QUEUE_RECORDS) },
  });
  arrivals = new Arrivals(own.world);
}, 180_000);
afterAll(() => own?.stop());
beforeEach(() => accepting(own));

/** Half of the recipients in one `to` as a list, a quarter in fields of their own, the rest hidden. */
async function sendToMany(recipients = RECIPIENTS): Promise<Answer> {
  const prefix = `ok+${(tries += 1)}.`;
  const all = Array.from({ length: recipients }, (_, n) => `${prefix}${n}@${n % 2 === 0 ? 'even' : 'odd'}.example`);
  const [half, most] = [Math.ceil(recipients / 2), Math.ceil((recipients * 3) / 4)];
  const body = form({
    from: `sender@${own.demo.domain}`,
    to: [all.slice(0, half).join(', '), ...all.slice(half, most)],
    bcc: all.slice(most).join(','),
    subject: 'To all',
    text: 'To all of you.',
  });
  const begin = performance.now();
  const response = await sendMessage(own.platform.gateway, own.demo, body);
  await response.text();
  const tookMs = Math.round(performance.now() - begin);
  const answer = { prefix, status: response.status, retryAfter: response.headers.get('retry-after'), tookMs };
  answers.push(answer);
  return answer;
}

function expectRefusal({ status, retryAfter, tookMs }: Answer, withinMs = ANSWER_MS): void {
  expect(status).toBe(503);
  expect(retryAfter).toMatch(/^[1-9]\d*$/);
  expect(tookMs).toBeLessThan(withinMs);
}

/** How many of a message's recipients have at least one copy, once nothing is under way any more. */
async function arrived({ prefix }: Answer): Promise<number> {
  await accepting(own);
  // Thousands of messages take minutes on a slow machine; nothing else is waited for.
  await idle(own, 400_000);
  await arrivals.collect();
  return arrivals.recipients(prefix).length;
}

/** 200: all, each once or marked. 503, in time: none. */
async function expectWholeOrNot(answer: Answer, withinMs = ANSWER_MS): Promise<void> {
  const got = await arrived(answer);
  console.log(`answered ${answer.status} after ${answer.tookMs} ms, ${got} arrived`);
  if (answer.status !== 200) expectRefusal(answer, withinMs);
  expect(got).toBe(answer.status === 200 ? RECIPIENTS : 0);
  expect(duplicates(arrivals).unmarked).toEqual([]);
}

describe('a message to 1,000 recipients is accepted whole or not at all', () => {
  it('and arrives at all of them', async () => {
    await sendToMany();
    const answer = await sendToMany();
    normalMs = answer.tookMs;
    expect(answer.status).toBe(200);
    await expectWholeOrNot(answer);
    expect(duplicates(arrivals).marked).toBe(0);
  });

  it('more than 1,000 recipients are refused', async () => {
    const answer = await sendToMany(RECIPIENTS + 1);
    expect(answer.status).toBe(400);
    expect(await arrived(answer)).toBe(0);
  });

  it('with Kafka killed before the request', async () => {
    await kill(own, 'kafka');
    const first = await sendToMany();
    // What the tables say may be used for 5 s; then nothing is accepted.
    const closed = async (): Promise<boolean> => (await fetch(`${own.platform.gateway}/health`)).status === 503;
    expect(await until(closed, 15_000)).toBe(true);
    const second = await sendToMany();
    await revive(own, 'kafka');
    expectRefusal(second);
    await expectWholeOrNot(first);
    await expectWholeOrNot(second);
  });

  it.each([0.1, 0.4, 0.7, 0.95])('with Kafka killed during the request, after %d of its usual time', async (part) => {
    const answering = sendToMany();
    await sleep(normalMs * part);
    await kill(own, 'kafka');
    const answer = await answering;
    await revive(own, 'kafka');
    await expectWholeOrNot(answer);
  });

  it.each([0, 50])('with Kafka killed %d ms after the answer', async (ms) => {
    const answer = await sendToMany();
    await sleep(ms);
    await kill(own, 'kafka');
    await revive(own, 'kafka');
    expect(answer.status).toBe(200);
    await expectWholeOrNot(answer);
  });

  it('with Kafka hanging', async () => {
    const [broker] = own.running.kafka.identities();
    signal(broker!, 'SIGSTOP');
    try {
      const before = await sendToMany();
      const closed = async (): Promise<boolean> => (await fetch(`${own.platform.gateway}/health`)).status === 503;
      expect(await until(closed, 15_000)).toBe(true);
      const after = await sendToMany();
      signal(broker!, 'SIGCONT');
      expectRefusal(after);
      await expectWholeOrNot(before);
      await expectWholeOrNot(after);
    } finally {
      signal(broker!, 'SIGCONT');
    }
  });

  it('with Kafka hanging in the middle of the request', async () => {
    const [broker] = own.running.kafka.identities();
    const answering = sendToMany();
    await sleep(normalMs / 2);
    signal(broker!, 'SIGSTOP');
    const answer = await answering;
    await sleep(2_000);
    signal(broker!, 'SIGCONT');
    await expectWholeOrNot(answer);
  });

  it('with an ingest that dies with many of them in its outbox', { timeout: 600_000 }, async () => {
    const [broker] = own.running.kafka.identities();
    signal(broker!, 'SIGSTOP');
    // More than the publisher's queue holds.
    const taken = await Promise.all(Array.from({ length: TOGETHER }, () => sendToMany()));
    const { restarts } = own.platform.services.ingest;
    own.platform.services.ingest.kill9();
    await until(() => own.platform.services.ingest.restarts > restarts, 10_000);
    signal(broker!, 'SIGCONT');
    // They share the machine: one takes as long as all.
    for (const answer of taken) await expectWholeOrNot(answer, ANSWER_MS + TOGETHER * normalMs);
  });
});

describe('a store that is away is a 503 with Retry-After, and nothing is half-done', () => {
  it.each([0.3, 0.6, 0.9])('PostgreSQL killed after %d of the usual time', async (part) => {
    const answering = sendToMany();
    await sleep(normalMs * part);
    await kill(own, 'postgres');
    const answer = await answering;
    const away = await sendToMany();
    await revive(own, 'postgres');
    expectRefusal(away);
    expect(await arrived(away)).toBe(0);
    const got = await arrived(answer);
    console.log(`answered ${answer.status} after ${answer.tookMs} ms, ${got} arrived`);
    if (answer.status === 200) expect(got).toBe(RECIPIENTS);
    else {
      expectRefusal(answer);
      // Only a database that dies while it commits leaves open whether it did; whole is the most it can be.
      expect([0, RECIPIENTS]).toContain(got);
    }
  });

  it.each(['vault', 'postgres'] as const)('%s away', async (store) => {
    await kill(own, store);
    const answer = await sendToMany();
    await revive(own, store);
    await expectWholeOrNot(answer);
    expect(answer.status).toBe(503);
  });

  it.each(['vault', 'postgres'] as const)('%s hanging', async (store) => {
    const [server] = own.running[store].identities();
    const family = own.running[store].identities();
    for (const one of family) signal(one, 'SIGSTOP');
    try {
      expect(server).toBeDefined();
      const answer = await sendToMany();
      for (const one of family) signal(one, 'SIGCONT');
      expectRefusal(answer);
      expect([0, RECIPIENTS]).toContain(await arrived(answer));
    } finally {
      for (const one of family) signal(one, 'SIGCONT');
    }
  });

  it('an outbox that is full', async () => {
    // Rows of the future, which the relay leaves alone.
    await query(
      own,
      'ingest',
      `INSERT INTO outbox (id, created_at, records)
       SELECT uuidv7(), now() + interval '1 hour', '[]' FROM generate_series(1, 20001)`,
    );
    const full = async (): Promise<boolean> => (await sendToMany(1)).status === 503;
    expect(await until(full, 5_000, 200)).toBe(true);
    const answer = await sendToMany();
    await query(own, 'ingest', `DELETE FROM outbox WHERE created_at > now() + interval '30 minutes'`);
    await expectWholeOrNot(answer);
    expect(answer.status).toBe(503);
    const room = async (): Promise<boolean> => (await sendToMany(1)).status === 200;
    expect(await until(room, 5_000, 200)).toBe(true);
  });
});

describe('at the end', () => {
  it('every message is in the database with all of its recipients', async () => {
    await idle(own);
    const rows = await query(
      own,
      'ingest',
      `SELECT n, count(*)::int AS messages FROM (
         SELECT count(r.*)::int AS n FROM message m LEFT JOIN message_recipient r ON r.message_id = m.id GROUP BY m.id
       ) AS sizes GROUP BY n ORDER BY n`,
    );
    expect(rows.map(({ n }) => n)).toEqual([1, RECIPIENTS]);
    const { marked, unmarked } = duplicates(arrivals);
    console.log(
      `${answers.length} messages; ${await arrivals.count()} arrivals; ` +
        `${marked} duplicates marked maybe-duplicate, ${unmarked.length} unmarked; ` +
        `${await count(own, 'ingest', 'message')} messages in the database`,
    );
  });
});
