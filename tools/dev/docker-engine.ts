import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SERVICES } from '@lethe/contracts';
import { until } from '@lethe/testing';
import type { Settings } from './arguments.ts';
import { compose, composeCommand } from './compose.ts';
import { DATA } from './data-folder.ts';
import type { Engine, Started } from './engine.ts';
import { basePort, demoPorts } from './ports.ts';
import { root } from './paths.mjs';
import type { Running } from './running-file.ts';

const run = promisify(execFile);
const READY_MS = 300_000;

/** Everything in containers of docker-compose.yml. The demo account is made from here, through the published port. */
export class DockerEngine implements Engine {
  private readonly settings: Settings;
  private readonly say: (line: string) => void;
  private readonly publish: (change: Partial<Running>) => void;
  private readonly abort = new AbortController();
  private up: Promise<void> | undefined;

  constructor(settings: Settings, say: (line: string) => void, publish: (change: Partial<Running>) => void) {
    this.settings = settings;
    this.say = say;
    this.publish = publish;
  }

  async start(): Promise<Started> {
    await this.prepare();
    const ports = demoPorts();
    const on = (port: number): string => `127.0.0.1:${port}`;
    const worldHttp = `http://${on(ports.worldHttp)}`;
    // Data and logs are in volumes and containers, not in folders of this machine.
    this.publish({
      kafka: { brokers: [on(ports.stores.kafka)] },
      elasticsearch: `http://${on(ports.stores.elasticsearch)}`,
      world: { http: worldHttp, dns: null, domain: 'world.example' },
    });
    this.say('building images and starting containers (some minutes the first time) …');
    // `demo` is left out: it ends by itself, which --wait takes for a failure.
    const { command, waits } = composeCommand();
    const wait = waits ? ['--wait'] : [];
    this.up = compose(['up', '--build', '--detach', ...wait, 'world', ...SERVICES], this.abort.signal);
    await this.up;
    const gateway = `http://${on(basePort())}`;
    const open = async (): Promise<boolean> => this.abort.signal.aborted || (await fetch(`${gateway}/health`)).ok;
    if (!(await until(open, READY_MS, 500))) {
      throw new Error(`the gateway did not accept mail within ${READY_MS / 1_000} s: see ${command.join(' ')} logs`);
    }
    return {
      gateway,
      operatorToken: readFileSync(join(DATA.compose, 'keys', 'operator-token'), 'utf8').trim(),
      worldHttp,
      certificateFile: join(DATA.compose, 'keys', 'smtp.pem'),
      demoFile: join(DATA.compose, 'demo.json'),
      logs: `${command.join(' ')} logs`,
    };
  }

  /** The data stay, in volumes; `npm run reset` removes them. */
  async stop(): Promise<void> {
    this.abort.abort();
    if (!this.up) return;
    await this.up.catch(() => undefined);
    await compose(['down', '--remove-orphans']).catch((error: Error) => this.say(error.message));
  }

  private async prepare(): Promise<void> {
    const { kafka, ...others } = this.settings.stores;
    const foreign = Object.entries(others).find(([, values]) => Object.keys(values).length > 0);
    if (foreign) {
      throw new Error(
        `Settings of ${foreign[0]} are passed through by a native start only: LETHE_ENGINE=native npm start`,
      );
    }
    const settings = Object.entries({ ...this.settings.services, ...kafka }).flatMap(([key, value]) => [
      '--with',
      `${key}=${value}`,
    ]);
    const flags = ['--disable-warning=ExperimentalWarning', '--conditions=@lethe/source'];
    const script = join(root, 'tools/docker/prepare.ts');
    await run(process.execPath, [...flags, script, DATA.compose, ...settings], {
      cwd: root,
      env: { ...process.env, LETHE_PORT: String(basePort()) },
    });
  }
}
