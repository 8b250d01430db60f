import { Agent, request } from 'node:http';
import { get, until, type Demo } from '@lethe/testing';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const LINE = 'The quick brown fox jumps over the lazy dog, and on it goes. 0123\r\n';
export const textOf = (bytes: number): string => LINE.repeat(Math.ceil(bytes / LINE.length)).slice(0, bytes);

/** A multipart form of one message whose text has about `bytes` octets. */
export function messageForm(domain: string, to: string, bytes: number): { type: string; body: Buffer } {
  const boundary = 'lethe-bench';
  const fields = { from: `bench@${domain}`, to, subject: 'Bench', text: textOf(bytes) };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.from(`${parts.join('')}--${boundary}--\r\n`),
  };
}

export interface Sender {
  send(to: string, bytes: number): Promise<void>;
  close(): void;
}

/** Keep-alive client of the gateway. @throws on any answer but 200. */
export function sender(gateway: string, demo: Demo, connections: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const authorization = `Basic ${Buffer.from(`api:${demo.apiKey}`).toString('base64')}`;
  const url = `${gateway}/v3/${demo.domain}/messages`;
  return {
    send: (to, bytes) => {
      const { type, body } = messageForm(demo.domain, to, bytes);
      const headers = { authorization, 'content-type': type, 'content-length': body.length };
      return new Promise((resolve, reject) => {
        const call = request(url, { method: 'POST', agent, headers }, (response) => {
          response.resume();
          response.once('end', () =>
            response.statusCode === 200 ? resolve() : reject(new Error(`the gateway answered ${response.statusCode}`)),
          );
        });
        call.once('error', reject);
        call.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

export interface Throughput {
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
}

/** Sends `count` messages over `concurrency` connections and waits until all have reached the sink. */
export async function throughput(
  client: Sender,
  world: string,
  options: { count: number; concurrency: number; bytes: number },
): Promise<Throughput> {
  const before = await received(world);
  const begin = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < options.count; index = next++) {
      await client.send(`ok+${index}@bench${index % 10}.example`, options.bytes);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  const accepted = performance.now();
  const all = async (): Promise<boolean> => (await received(world)) - before >= options.count;
  if (!(await until(all, 120_000, 20))) throw new Error('not every message was delivered within two minutes');
  const delivered = performance.now();
  return {
    acceptedPerSecond: (options.count * 1_000) / (accepted - begin),
    deliveredPerSecond: (options.count * 1_000) / (delivered - begin),
  };
}

async function received(world: string): Promise<number> {
  const { messages } = (await (await fetch(`${world}/stats`)).json()) as { messages: number };
  return messages;
}

export interface Lag {
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
}

interface EventPage {
  items: { id: string; timestamp: number }[];
}

/** Does `one` so many times a second, however long those before it take; resolves when all are done. */
export async function atRate(
  { perSecond, seconds }: { perSecond: number; seconds: number },
  one: (index: number) => Promise<void>,
): Promise<void> {
  const begin = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const wait = begin + (index * 1_000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    all.push(one(index));
  }
  await Promise.all(all);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Sends at a fixed rate and polls the events API: from each event's own timestamp to the first page that shows it, ms. */
export async function eventLag(
  client: Sender,
  gateway: string,
  demo: Demo,
  options: { perSecond: number; seconds: number; bytes: number },
): Promise<Lag> {
  const count = options.perSecond * options.seconds;
  const begin = performance.now();
  const sending = atRate(options, (index) => client.send(`ok+lag${index}@bench${index % 10}.example`, options.bytes));
  const lags = new Map<string, number>();
  const started = Date.now();
  while (lags.size < 2 * count && performance.now() - begin < (options.seconds + 30) * 1_000) {
    const since = Math.max(started, Date.now() - 1_500) / 1_000;
    // Newest first: the page of 300 holds what has just come.
    const url = `${gateway}/v3/${demo.domain}/events?end=${since}&begin=${Date.now() / 1_000 + 1}&limit=300`;
    const page = (await (await get(url, demo.apiKey)).json()) as EventPage;
    const now = Date.now();
    for (const { id, timestamp } of page.items) {
      if (!lags.has(id)) lags.set(id, now - timestamp * 1_000);
    }
    await sleep(10);
  }
  await sending;
  const all = [...lags.values()];
  return { events: all.length, p50: quantile(all, 0.5), p99: quantile(all, 0.99) };
}
