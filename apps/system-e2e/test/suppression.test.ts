import { Kafka, logLevel } from 'kafkajs';
import { basic, form, get, sendMessage, startSuitePlatform, until, type SuitePlatform } from '@lethe/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

interface Failed {
  timestamp: number;
  severity: string;
  reason: string;
  'delivery-status': { code: number };
}

/** Rounds of measuring: other work on the machine spoils one now and then. */
const ROUNDS = 5;

let suite: SuitePlatform;
/** Ends reading the topic. */
let end: (() => Promise<void>) | undefined;
/** When each new entry was read as delivery reads it, epoch ms. */
const read: number[] = [];

beforeAll(async () => {
  const name = `sup${Date.now().toString(36)}`;
  suite = await startSuitePlatform({ stores: inject('stores'), suite: name });
  end = await readEntries(name);
}, 120_000);
afterAll(async () => {
  await end?.();
  await suite?.stop();
});

/** Reads the topic as it grows. */
async function readEntries(name: string): Promise<() => Promise<void>> {
  const { brokers, admin } = suite.stores.kafka;
  const kafka = new Kafka({
    brokers: [...brokers],
    sasl: { mechanism: 'scram-sha-512', ...admin },
    logLevel: logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `${name}-reader`, maxWaitTimeInMs: 20 });
  let began = false;
  await consumer.connect();
  await consumer.subscribe({ topics: [`${name}-suppression-entries`], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      began = true;
      if (message.key?.toString() !== 'heartbeat' && message.value) read.push(Date.now());
    },
  });
  if (!(await until(() => began, 30_000))) throw new Error('the entries cannot be read');
  return () => consumer.disconnect();
}

/** Sends one message and waits for its failure. */
async function sendAndFail(to: string): Promise<Failed> {
  const body = form({ from: `a@${suite.demo.domain}`, to, subject: 'Hello', text: 'x' });
  const response = await sendMessage(suite.platform.gateway, suite.demo, body);
  expect(response.status).toBe(200);
  const { id } = (await response.json()) as { id: string };
  const query = new URLSearchParams({ 'message-id': id.slice(1, -1), event: 'failed' }).toString();
  const url = `${suite.platform.gateway}/v3/${suite.demo.domain}/events?${query}`;
  let failed: Failed | undefined;
  await until(async () => {
    [failed] = ((await (await get(url, suite.demo.apiKey)).json()) as { items: Failed[] }).items;
    return failed !== undefined;
  }, 20_000);
  if (!failed) throw new Error(`no failure of mail to ${to}`);
  return failed;
}

/** What an attempt leaves: a new connection, or a refusal on one that was kept. */
const stats = async () => {
  const { connections, refused } = (await (await fetch(`${suite.world.http}/stats`)).json()) as Record<string, number>;
  return { connections, refused };
};

async function call(method: string, path: string, key = suite.demo.apiKey): Promise<[number, Record<string, unknown>]> {
  const url = `${suite.platform.gateway}/v3/${suite.demo.domain}/bounces${path}`;
  // What SDKs name with every request, bodies or not.
  const headers = { authorization: basic(key), 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, { method, headers });
  return [response.status, (await response.json()) as Record<string, unknown>];
}

async function privacy(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { authorization: basic(suite.demo.privacyKey), 'content-type': 'application/json' };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const response = await fetch(`${suite.platform.gateway}/v1/privacy/requests${path}`, init);
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${method} answered ${response.status}: ${String(answer['message'])}`);
  return answer;
}

describe('a mailbox that does not exist', () => {
  const address = '550+once@world.example';

  it('is in force within a second of the failure', async () => {
    const lags: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const { timestamp, reason, 'delivery-status': status } = await sendAndFail(`550+round${round}@world.example`);
      expect([reason, status.code]).toEqual(['bounce', 550]);
      expect(await until(() => read.length > round, 10_000, 5)).toBe(true);
      // The first one joins connections and keys.
      if (round > 0) lags.push((read[round] as number) - timestamp * 1_000);
    }
    console.log(`failure to entry: ${lags.map((lag) => Math.round(lag)).join(', ')} ms`);
    expect(lags.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]).toBeLessThan(1_000);
  });

  it('stops the next mail before any server hears of it', async () => {
    await sendAndFail(address);
    const before = await stats();
    expect(await until(async () => (await call('GET', `/${encodeURIComponent(address)}`))[0] === 200, 5_000)).toBe(
      true,
    );
    const failed = await sendAndFail(address);
    expect(failed).toMatchObject({
      severity: 'permanent',
      reason: 'suppress-bounce',
      'delivery-status': { code: 605 },
    });
    expect(await stats()).toEqual(before);
  });

  it('is shown with what the server said, and nobody named in it', async () => {
    const [status, bounce] = await call('GET', `/${encodeURIComponent(address)}`);
    expect([status, bounce]).toEqual([
      200,
      {
        address,
        code: '550',
        error: expect.stringContaining('no such mailbox') as string,
        created_at: expect.any(String) as string,
      },
    ]);
    expect(bounce['error']).not.toContain('world.example');
    const [, { items }] = await call('GET', '?term=550%2Bonce');
    expect(items).toEqual([bounce]);
  });

  it('is tried again once its entry is removed', async () => {
    expect(await call('DELETE', `/${address}`)).toEqual([
      200,
      { message: 'Bounced address has been removed', address },
    ]);
    expect((await call('GET', `/${address}`))[0]).toBe(404);
    const { refused = 0 } = await stats();
    // In force one second after its record (design §5).
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await sendAndFail(address)).toMatchObject({ reason: 'bounce', 'delivery-status': { code: 550 } });
    expect((await stats()).refused).toBe(refused + 1);
  });

  it('erased with do_not_contact: no entry is left to show, and whoever comes back is not mailed by any domain', async () => {
    const person = 'ok+forgotten@world.example';
    const order = await privacy('POST', '', {
      type: 'erasure',
      subjects: [{ address: person }],
      do_not_contact: 'keep',
    });
    const id = String(order['id']);
    let state = '';
    await until(async () => (state = String((await privacy('GET', `/${id}`))['state'])) === 'completed', 120_000, 500);
    expect(state).toBe('completed');
    const before = await stats();
    expect(await sendAndFail(person)).toMatchObject({
      reason: 'suppress-unsubscribe',
      'delivery-status': { code: 606 },
    });
    expect(await stats()).toEqual(before);
    expect((await call('GET', `/${encodeURIComponent(person)}`))[0]).toBe(404);
  });

  it('is nobody else’s to see or change', async () => {
    expect((await call('GET', '', suite.demo.privacyKey))[0]).toBe(403);
    expect((await call('DELETE', '', suite.demo.privacyKey))[0]).toBe(403);
    expect((await call('GET', '', 'unknown'))[0]).toBe(401);
  });
});
