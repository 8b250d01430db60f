import { spawn } from 'node:child_process';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  certificateFiles,
  createDemo,
  createLogin,
  freePorts,
  REPOSITORY,
  startPlatform,
  startStores,
  type Demo,
  type Login,
  type Platform,
  type RunningStores,
} from '@lethe/testing';
import { acceptLine, acceptRate } from './accept.ts';
import { eventLag, sender, throughput } from './load.ts';
import { usageOf, usedBy, watchMemory } from './processes.ts';
import { besideRelays } from './relays/beside-relays.ts';
import { smtpSender } from './smtp-load.ts';

/**
 * `npm run bench`: the whole platform on this machine, HTTP in, SMTP out; then as a relay beside others; then accepting alone, by
 * HTTP and by SMTP. Arguments choose parts of it: `platform`, `relays`, `accept`. Options by environment: BENCH_MESSAGES (4000),
 * BENCH_CONCURRENCY (64), BENCH_LAG_RATE (messages/s, 100), BENCH_ROUNDS (3, beside others), BENCH_FSYNC=1 (Kafka fsync per append).
 */
const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const MESSAGES = number('BENCH_MESSAGES', 4_000);
const CONCURRENCY = number('BENCH_CONCURRENCY', 64);
const LAG_RATE = number('BENCH_LAG_RATE', 100);
const ROUNDS = number('BENCH_ROUNDS', 3);
const FSYNC = process.env['BENCH_FSYNC'] === '1';
const SIZES = [1_024, 10_240];
const PARTS = ['platform', 'relays', 'accept'];
const parts = process.argv.length > 2 ? process.argv.slice(2) : PARTS;

const say = (line: string): void => console.error(`# ${line}`);

interface WorldProcess {
  readonly pid: number;
  readonly http: string;
  readonly dns: { host: string; port: number };
  readonly smtp: { host: string; port: number };
  readonly domain: string;
  stop(): void;
}

/** In a process of its own, so that the sink's work is not counted as ours. */
function startSink(): Promise<WorldProcess> {
  const child = spawn(process.execPath, ['--conditions=@lethe/source', 'libs/testing/src/world/main.ts'], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) =>
      resolve({ ...(JSON.parse(line.toString()) as WorldProcess), pid: child.pid ?? 0, stop: () => void child.kill() }),
    );
    child.once('exit', () => reject(new Error('the SMTP world ended')));
  });
}

async function main(): Promise<void> {
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown) throw new Error(`there is no part '${unknown}': ${PARTS.join(', ')}`);
  await promisify(execFile)(join(REPOSITORY, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: REPOSITORY });
  const dir = mkdtempSync(join(tmpdir(), 'lethe-bench-'));
  let stores: RunningStores | undefined;
  let platform: Platform | undefined;
  const sink = await startSink();
  try {
    stores = await startStores({
      dir: join(dir, 'stores'),
      settings: { kafka: FSYNC ? { 'log.flush.interval.messages': '1' } : {} },
      progress: say,
    });
    const ports = await freePorts('port', 'tlsPort');
    const submission = { ...ports, ...certificateFiles(dir) };
    platform = await startPlatform({
      dir: join(dir, 'platform'),
      stores: stores.stores,
      world: sink,
      submission,
      says: say,
    });
    await platform.ready();
    const demo = await createDemo(platform.gateway, platform.secrets.operatorToken, 'bench.example');
    if (parts.includes('platform')) await measure(platform, stores, sink, demo);
    if (parts.includes('relays')) {
      const load = { messages: MESSAGES, rounds: ROUNDS, sizes: SIZES, fsync: FSYNC };
      await besideRelays({ dir, platform, stores, demo, port: ports.port, ...load });
    }
    if (parts.includes('accept')) {
      const login = await createLogin(platform.gateway, demo, 'bench');
      await measureAccepting(platform, stores, demo, { port: ports.tlsPort, login });
    }
  } finally {
    await platform?.stop();
    await stores?.stop();
    sink.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(platform: Platform, stores: RunningStores, sink: WorldProcess, demo: Demo): Promise<void> {
  const pids = (): Record<string, number> => ({ ...platform.pids, ...stores.stores.pids }) as Record<string, number>;
  const cpu = (): Record<string, number> =>
    Object.fromEntries(Object.entries(pids()).map(([name, pid]) => [name, usageOf(pid).cpuSeconds]));
  const client = sender(platform.gateway, demo, CONCURRENCY);
  say('warming up');
  await throughput(client, sink.http, { count: 1_000, concurrency: CONCURRENCY, bytes: 1_024 });

  console.log(
    `\n${cpus().length} cores, ${MESSAGES} messages over ${CONCURRENCY} connections, DKIM RSA-2048, one recipient each`,
  );
  console.log(
    `durability: PostgreSQL fsync=on synchronous_commit=on, one commit per group; Kafka acks=all, ${FSYNC ? 'fsync per append' : 'fsync left to the operating system'}, one node\n`,
  );
  const memory = watchMemory(pids);
  const perProcess: Record<string, string[]> = {};
  for (const bytes of SIZES) {
    const before = cpu();
    const { acceptedPerSecond, deliveredPerSecond } = await throughput(client, sink.http, {
      count: MESSAGES,
      concurrency: CONCURRENCY,
      bytes,
    });
    const after = cpu();
    const used = Object.keys(after).map((name) => [name, ((after[name] ?? 0) - (before[name] ?? 0)) * 1_000] as const);
    const total = used.reduce((sum, [, ms]) => sum + ms, 0) / MESSAGES;
    for (const [name, ms] of used) (perProcess[name] ??= []).push((ms / MESSAGES).toFixed(3));
    const lag = await eventLag(client, platform.gateway, demo, { perSecond: LAG_RATE, seconds: 10, bytes });
    console.log(
      `${bytes / 1_024} KiB: accepted ${acceptedPerSecond.toFixed(0)}/s, delivered ${deliveredPerSecond.toFixed(0)}/s, ` +
        `${total.toFixed(2)} ms CPU a message; events visible after ${lag.p50.toFixed(0)} ms (p50), ${lag.p99.toFixed(0)} ms (p99) ` +
        `at ${LAG_RATE} messages/s (${lag.events} events)`,
    );
  }
  client.close();
  const peaks = memory.stop();
  console.log(
    `\nprocess          peak memory   CPU ms a message (${SIZES.map((bytes) => `${bytes / 1_024} KiB`).join(', ')})`,
  );
  for (const [name, values] of Object.entries(perProcess)) {
    const mib = `${((peaks[name] ?? 0) / 1_048_576).toFixed(0)} MiB`;
    console.log(`${name.padEnd(16)} ${mib.padStart(10)}    ${values.join(', ')}`);
  }
  const sum = Object.values(peaks).reduce((total, bytes) => total + bytes, 0);
  console.log(`${'all'.padEnd(16)} ${`${(sum / 1_048_576).toFixed(0)} MiB`.padStart(10)}\n`);
}

/** By each door what it costs to take a message; nothing is sent and nothing indexed meanwhile. */
async function measureAccepting(
  platform: Platform,
  stores: RunningStores,
  demo: Demo,
  smtp: { port: number; login: Login },
): Promise<void> {
  const doors = {
    HTTP: sender(platform.gateway, demo, CONCURRENCY),
    SMTP: await smtpSender(smtp.port, smtp.login, CONCURRENCY),
  };
  const { delivery, events, suppression } = platform.services;
  await Promise.all([delivery, events, suppression].map((service) => service.stop()));
  const cpu = (): Record<string, number> => usedBy({ ...platform.pids, ...stores.stores.pids });
  console.log(
    `accepting alone: delivery, events and suppression stopped; ${MESSAGES} messages over ${CONCURRENCY} connections that stay: ` +
      'HTTP in clear, a form; SMTP in TLS, signed in once, envelopes pipelined',
  );
  for (const bytes of SIZES) {
    for (const [door, client] of Object.entries(doors)) {
      const accepted = await acceptRate(client, { count: MESSAGES, concurrency: CONCURRENCY, bytes, cpu });
      console.log(acceptLine(`${bytes / 1_024} KiB by ${door}`, accepted));
    }
  }
  for (const client of Object.values(doors)) client.close();
}

try {
  await main();
} catch (error) {
  console.error(`The bench failed: ${(error as Error).message}`);
  process.exitCode = 1;
}
