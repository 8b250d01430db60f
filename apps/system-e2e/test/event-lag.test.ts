import { form, get, sendMessage, startSuitePlatform, type SuitePlatform } from '@lethe/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

/** A lag is measured where the machine keeps up; how much it can keep up with, `npm run bench` says. */
const PER_SECOND = 10;
const WARM_UP = 300;
const WARM_UP_PER_SECOND = 30;
const MESSAGES = 150;
/** Other work on the machine lengthens every lag: a round it spoils is repeated, at most this often. All are printed. */
const ROUNDS = 4;

let suite: SuitePlatform;
beforeAll(async () => {
  suite = await startSuitePlatform({ stores: inject('stores'), suite: `lag${Date.now().toString(36)}` });
});
afterAll(() => suite?.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function send(index: number, subject: string): Promise<void> {
  const fields = {
    from: `a@${suite.demo.domain}`,
    to: `ok+${index}@world.example`,
    subject,
    text: 't',
  };
  const { status } = await sendMessage(suite.platform.gateway, suite.demo, form(fields));
  if (status === 503) {
    await sleep(500);
    await send(index, subject);
  } else expect(status).toBe(200);
}

/** Sends messages at the fixed rate. */
async function sendAll(count: number, subject: string, perSecond = PER_SECOND): Promise<void> {
  const begin = performance.now();
  const sending: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    await sleep(begin + (index * 1_000) / perSecond - performance.now());
    sending.push(send(index, subject));
  }
  await Promise.all(sending);
}

interface Page {
  items: { id: string; timestamp: number }[];
  paging: { next: string };
}

/** Lags of one round's events, in ms, sorted: from an event's own timestamp to the first page that shows it. */
async function measure(subject: string): Promise<number[]> {
  const lags = new Map<string, number>();
  const begun = Date.now() / 1_000;
  const deadline = performance.now() + 30_000;
  /** One page, newest first; answers the link to what is older. */
  const look = async (url: string): Promise<{ found: number; next: string } | null> => {
    const response = await get(url, suite.demo.apiKey);
    // A busy machine may leave a table stale for a moment; the gateway then says so, and a client asks again.
    expect([200, 503]).toContain(response.status);
    if (response.status === 503) return null;
    const page = (await response.json()) as Page;
    const now = Date.now();
    for (const { id, timestamp } of page.items) if (!lags.has(id)) lags.set(id, now - timestamp * 1_000);
    return { found: page.items.length, next: page.paging.next };
  };
  const newest = (): string =>
    `${suite.platform.gateway}/v3/${suite.demo.domain}/events?begin=${Date.now() / 1_000 + 1}&end=${begun}&subject=${subject}&limit=100`;

  // As a polling client: the newest 100, more than a second's worth, again and again; in the end all pages, until nothing
  // is missing.
  const round = { sending: true };
  const sent = sendAll(MESSAGES, subject).finally(() => (round.sending = false));
  while (round.sending) {
    await look(newest());
    await sleep(50);
  }
  await sent;
  while (lags.size < 2 * MESSAGES && performance.now() < deadline) {
    for (let page = await look(newest()); page && page.found > 0; page = await look(page.next));
    await sleep(50);
  }
  return [...lags.values()].toSorted((a, b) => a - b);
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

it('an event is findable within a second (p99) after it happened', async () => {
  // Processes that have just started compile their code first; what is measured is a platform that runs.
  await sendAll(WARM_UP, 'warmup', WARM_UP_PER_SECOND);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= ROUNDS && best > 1_000; round += 1) {
    const lags = await measure(`round${round}`);
    expect(lags).toHaveLength(2 * MESSAGES);
    const [p50, p99] = [quantile(lags, 0.5), quantile(lags, 0.99)];
    console.log(
      `event lag, round ${round}: ${lags.length} events at ${PER_SECOND} messages/s: p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms`,
    );
    best = Math.min(best, p99);
  }
  expect(best).toBeLessThanOrEqual(1_000);
});
