import { join } from 'node:path';
import { smtpSource, Supervised, until, type Demo, type Platform, type RunningStores } from '@lethe/testing';
import { listens, usedBy } from '../processes.ts';
import { startHaraka } from './haraka.ts';
import { latency, startProbeSink } from './latency.ts';
import { startPostfix } from './postfix.ts';
import type { Relay } from './relay.ts';
import { report } from './report.ts';
import { interleaved, warmUp } from './rounds.ts';
import { startSink, type Sink } from './sink.ts';

export interface BesideOptions {
  readonly dir: string;
  readonly platform: Platform;
  readonly stores: RunningStores;
  readonly demo: Demo;
  /** Where ingest takes mail by SMTP. */
  readonly port: number;
  readonly messages: number;
  readonly rounds: number;
  readonly sizes: readonly number[];
  /** Whether Kafka forces each append to disk. */
  readonly fsync: boolean;
}

const SESSIONS = 20;
/** At which it is measured how long a message takes. */
const RATES = [20, 200];

/**
 * Lethe as a relay in turn with Postfix and Haraka: the same programs send to them and take from them. Once with `events` stopped,
 * as they index nothing, and once with it.
 */
export async function besideRelays(options: BesideOptions): Promise<void> {
  const source = await smtpSource();
  const sink = await startSink();
  if (!source || !sink) {
    console.log(
      'beside other relays: not measured, smtp-source and smtp-sink are missing (Debian: apt-get install postfix)',
    );
    sink?.stop();
    return;
  }
  const { dir, platform, sizes, messages, rounds } = options;
  const started: (Relay | string)[] = [];
  const lethe = await asRelay(options, sink);
  try {
    started.push(await startPostfix(sink.port));
    started.push(await startHaraka(join(dir, 'haraka'), sink.port));
    const relays = [...started.filter((relay) => typeof relay !== 'string'), lethe];
    console.log(
      `\nbeside other relays, in turn: SMTP in clear over ${SESSIONS} sessions that stay, ${messages} messages a round, ${rounds} rounds ` +
        `(median [range]), as many recipients of one domain, delivered to smtp-sink; the others' turns have an idle Lethe beside them`,
    );
    for (const missing of started.filter((relay) => typeof relay === 'string')) console.log(`without it: ${missing}`);
    for (const { name, durability } of relays) console.log(`${name}: ${durability}`);
    const load = { source, sink, messages, sessions: SESSIONS };
    for (const events of [false, true]) {
      const indexing = platform.services.events;
      if (!events) await indexing.stop();
      else {
        indexing.start();
        await indexing.ready(60_000);
      }
      console.log(`\n${events ? 'every event indexed meanwhile' : 'events stopped: nothing is indexed'}`);
      for (const octets of sizes) {
        if (octets === sizes[0]) for (const relay of relays) await warmUp(relay, { ...load, octets });
        for (const line of report(await interleaved(relays, rounds, { ...load, octets }), octets, options.fsync)) {
          console.log(line);
        }
      }
    }
    sink.stop();
    await latencies(relays, sink.port);
  } finally {
    for (const relay of started) if (typeof relay !== 'string') await relay.stop();
    await lethe.stop();
    sink.stop();
  }
}

/** How long a message takes where there is room; every event is indexed meanwhile. */
async function latencies(relays: readonly Relay[], port: number): Promise<void> {
  if (!(await until(async () => !(await listens(port)), 10_000, 50))) throw new Error('the sink did not end');
  const probe = await startProbeSink(port);
  console.log('\nat a steady rate, 1 KiB, envelopes pipelined, over sessions that stay: p50 / p99');
  for (const rate of RATES) for (const relay of relays) console.log(await latency(relay, probe, rate));
  probe.stop();
}

/** Admits what comes from this machine without a login, and delivers to the sink: with settings of its own. */
async function asRelay({ platform, stores, demo, port, fsync }: BesideOptions, sink: Sink): Promise<Relay> {
  const own = {
    ingest: await restarted(platform.services.ingest, {
      SMTP_TRUSTED_NETWORKS: `127.0.0.0/8=${demo.accountId}/${demo.domain}`,
    }),
    delivery: await restarted(platform.services.delivery, { SMTP_PORT: String(sink.port) }),
  };
  const pids = (): Record<string, number | null> => ({
    ...platform.pids,
    ingest: own.ingest.pid,
    delivery: own.delivery.pid,
    ...stores.stores.pids,
  });
  return {
    name: 'Lethe',
    port,
    durability:
      'PostgreSQL commit with fsync before each 250, shared by those that wait; DKIM RSA-2048; sealed; ' +
      `Kafka acks=all, ${fsync ? 'fsync per append' : 'fsync left to the operating system'}`,
    cpu: () => usedBy(pids()),
    stop: async () => {
      await Promise.all([own.ingest.stop(), own.delivery.stop()]);
      platform.services.ingest.start();
      platform.services.delivery.start();
      await Promise.all([platform.services.ingest.ready(60_000), platform.services.delivery.ready(60_000)]);
    },
  };
}

async function restarted(service: Supervised, settings: Readonly<Record<string, string>>): Promise<Supervised> {
  const { command } = service;
  await service.stop();
  const nothing = (): void => undefined;
  const again = new Supervised({ ...command, env: { ...command.env, ...settings } }, nothing, nothing);
  again.start();
  await again.ready(60_000);
  return again;
}
