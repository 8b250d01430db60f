import { form, get, sendMessage, startSuitePlatform, type SuitePlatform } from '@lethe/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

const MESSAGES = 300;
const PER_SECOND = 30;

let suite: SuitePlatform;
beforeAll(async () => {
  suite = await startSuitePlatform({ stores: inject('stores'), suite: `lag${Date.now().toString(36)}` });
});
afterAll(() => suite?.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function sendAll(): Promise<void> {
  const begin = performance.now();
  const sending: Promise<Response>[] = [];
  for (let index = 0; index < MESSAGES; index += 1) {
    await sleep(begin + (index * 1_000) / PER_SECOND - performance.now());
    sending.push(
      sendMessage(
        suite.platform.gateway,
        suite.demo,
        form({ from: `a@${suite.demo.domain}`, to: `ok+${index}@world.example`, subject: 's', text: 't' }),
      ),
    );
  }
  for (const response of await Promise.all(sending)) expect(response.status).toBe(200);
}

interface Page {
  items: { id: string; timestamp: number }[];
  paging: { next: string };
}

it('an event is findable within a second (p99) after it happened', async () => {
  const lags = new Map<string, number>();
  const sent = sendAll();
  let url = `${suite.platform.gateway}/v3/${suite.demo.domain}/events?begin=${Date.now() / 1_000 - 1}&ascending=yes&limit=300`;
  const started = url;
  const deadline = performance.now() + 60_000;
  // As a polling client: the newest events of the last seconds, asked for again and again.
  while (lags.size < 2 * MESSAGES && performance.now() < deadline) {
    const response = await get(url, suite.demo.apiKey);
    expect(response.status).toBe(200);
    const page = (await response.json()) as Page;
    const now = Date.now();
    for (const { id, timestamp } of page.items) if (!lags.has(id)) lags.set(id, now - timestamp * 1_000);
    const oldest = Date.now() / 1_000 - 3;
    url = page.items.length === 300 ? page.paging.next : `${started.split('?')[0]}?begin=${oldest}&ascending=yes&limit=300`;
    await sleep(20);
  }
  await sent;
  const sorted = [...lags.values()].toSorted((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
  console.log(
    `event lag over ${sorted.length} events at ${PER_SECOND} messages/s: p50 ${Math.round(quantile(0.5))} ms, p99 ${Math.round(quantile(0.99))} ms`,
  );
  expect(sorted).toHaveLength(2 * MESSAGES);
  expect(quantile(0.99)).toBeLessThanOrEqual(1_000);
});
