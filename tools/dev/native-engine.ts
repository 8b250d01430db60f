import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  certificateFiles,
  endLeftovers,
  REPOSITORY,
  startPlatform,
  startStores,
  startWorld,
  until,
  watchStores,
  type Platform,
  type RunningStores,
  type World,
} from '@lethe/testing';
import type { Settings } from './arguments.ts';
import { DATA, STORE_PROCESSES } from './data-folder.ts';
import { demoPorts, requireFreePorts, servicePorts } from './ports.ts';
import type { Engine, Started } from './engine.ts';
import type { Running } from './running-file.ts';

const run = promisify(execFile);

/** Everything as processes of this machine. */
export class NativeEngine implements Engine {
  private readonly settings: Settings;
  private readonly say: (line: string) => void;
  private readonly publish: (change: Partial<Running>) => void;
  private readonly abort = new AbortController();
  private world: Promise<World> | undefined;
  private stores: Promise<RunningStores> | undefined;
  private platform: Promise<Platform> | undefined;
  private endWatch: (() => Promise<void>) | undefined;
  /** Of what has started; see `pids`. */
  private has: { stores?: RunningStores; platform?: Platform } = {};

  constructor(settings: Settings, say: (line: string) => void, publish: (change: Partial<Running>) => void) {
    this.settings = settings;
    this.say = say;
    this.publish = publish;
  }

  async start(): Promise<Started> {
    const ports = demoPorts();
    await requireFreePorts();
    const built = this.build();
    // Said where it is waited for.
    built.catch(() => undefined);
    this.world = startWorld({ dnsPort: ports.dns, smtpPort: ports.smtp, httpPort: ports.worldHttp });
    const world = await this.world;
    this.stores = startStores({
      dir: DATA.stores,
      ports: ports.stores,
      settings: this.settings.stores,
      progress: this.say,
    });
    const [stores] = await this.orStopped(Promise.all([this.stores, built]));
    this.has.stores = stores;
    const { stores: described } = stores;
    this.publish({
      kafka: { brokers: described.kafka.brokers },
      elasticsearch: described.elasticsearch,
      world: { http: world.http, dns: `${world.dns.host}:${world.dns.port}`, domain: world.domain },
      data: Object.values(described.data),
      logs: [...Object.values(described.logs), join(DATA.platform, 'logs')],
      pids: this.pids(),
    });
    const pidsChanged = (): void => this.publish({ pids: this.pids() });
    this.endWatch = watchStores(stores, this.say, pidsChanged);

    mkdirSync(DATA.platform, { recursive: true });
    const certificate = certificateFiles(DATA.platform);
    this.platform = startPlatform({
      dir: DATA.platform,
      stores: described,
      world,
      ports: servicePorts(),
      submission: { port: ports.submission, tlsPort: ports.submissionTls, ...certificate },
      settings: this.settings.services,
      says: this.say,
      changed: () => this.has.platform && pidsChanged(),
    });
    const platform = await this.orStopped(this.platform);
    this.has.platform = platform;
    this.say('databases migrated, services started');
    pidsChanged();
    await this.orStopped(platform.ready(120_000));
    return {
      gateway: platform.gateway,
      operatorToken: platform.secrets.operatorToken,
      worldHttp: world.http,
      certificateFile: certificate.certificateFile,
      demoFile: DATA.demo,
      logs: join(DATA.platform, 'logs'),
    };
  }

  /** Everything that was started, however far the start has come: the door first, the stores last. */
  async stop(): Promise<void> {
    this.abort.abort();
    const revived = this.endWatch?.();
    const platform = await this.platform?.catch(() => undefined);
    await platform?.stop();
    await endStarting(this.has.stores ? revived : this.stores);
    const stores = await this.stores?.catch(() => undefined);
    const world = await this.world?.catch(() => undefined);
    await Promise.all([stores?.stop(), world?.stop()]);
  }

  private pids(): Record<string, number> {
    const all = { ...this.has.stores?.stores.pids, ...this.has.platform?.pids };
    return Object.fromEntries(Object.entries(all).filter(([, pid]) => pid)) as Record<string, number>;
  }

  private async build(): Promise<void> {
    const tsc = join(REPOSITORY, 'node_modules', '.bin', 'tsc');
    try {
      await run(tsc, ['-b'], { cwd: REPOSITORY, signal: this.abort.signal });
    } catch (error) {
      if (this.abort.signal.aborted) return;
      throw new Error(`the build failed:\n${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
    }
    this.say('built');
  }

  /** Does not wait any longer once the stop has begun. */
  private orStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.abort;
    const stopped = new Promise<never>((_, reject) => {
      const end = (): void => reject(new Error('stopped'));
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
    return Promise.race([work, stopped]);
  }
}

/** Stores that are still being started are ended: what has begun, and what begins meanwhile. */
async function endStarting(starting: Promise<unknown> | undefined): Promise<void> {
  if (!starting) return;
  let settled = false;
  const note = (): void => void (settled = true);
  void starting.then(note, note);
  // What has settled is seen only after a turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  await until(
    async () => {
      if (!settled) await endLeftovers(STORE_PROCESSES);
      return settled;
    },
    60_000,
    100,
  );
}
