import { until, type SmtpSource } from '@lethe/testing';
import type { Relay } from './relay.ts';
import type { Sink } from './sink.ts';

export interface Round {
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  /** CPU of the relay's processes a message, ms. */
  readonly cpuMs: number;
  readonly cpuByProcess: Readonly<Record<string, number>>;
}

export interface Load {
  readonly source: SmtpSource;
  readonly sink: Sink;
  readonly messages: number;
  readonly sessions: number;
  readonly octets: number;
}

const DELIVERED_WITHIN_MS = 90_000;
const WARM_UP_MESSAGES = 20_000;

/** As many messages through one relay, over sessions that stay, each to another recipient of one domain. */
export async function runRound(relay: Relay, { source, sink, messages, sessions, octets }: Load): Promise<Round> {
  const before = { cpu: relay.cpu(), received: sink.received() };
  const begin = performance.now();
  const to = 'someone@sink.example';
  await source.send({ port: relay.port, sessions, messages, octets, from: 'bench@bench.example', to, stay: true });
  const accepted = performance.now();
  if (!(await until(() => sink.received() - before.received >= messages, DELIVERED_WITHIN_MS, 10))) {
    throw new Error(`${relay.name} delivered ${sink.received() - before.received} of ${messages} messages`);
  }
  const delivered = performance.now();
  const cpuByProcess = Object.fromEntries(
    Object.entries(relay.cpu()).map(([name, s]) => [name, ((s - (before.cpu[name] ?? 0)) * 1_000) / messages]),
  );
  return {
    acceptedPerSecond: (messages * 1_000) / (accepted - begin),
    deliveredPerSecond: (messages * 1_000) / (delivered - begin),
    cpuMs: Object.values(cpuByProcess).reduce((sum, ms) => sum + ms, 0),
    cpuByProcess,
  };
}

/** Compilers at run time (V8, the JVM) get warm: Kafka's takes some 20,000 messages, and costs a fifth of them until then. */
export async function warmUp(relay: Relay, load: Load): Promise<void> {
  for (let sent = 0; sent < WARM_UP_MESSAGES; sent += load.messages) await runRound(relay, load);
}

/** Every relay in turn, again and again, so that what else the machine does meets them all. */
export async function interleaved(relays: readonly Relay[], rounds: number, load: Load): Promise<Map<Relay, Round[]>> {
  const results = new Map<Relay, Round[]>(relays.map((relay) => [relay, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const relay of relays) results.get(relay)?.push(await runRound(relay, load));
  }
  return results;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};
