import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SERVICES, type Service } from '@lethe/contracts';
import { freePorts } from '../stores/ports.ts';
import { endLeftovers, recordProcesses } from '../stores/processes.ts';
import type { Stores } from '../stores/stores.ts';
import { platformSecrets, type PlatformSecrets } from './secrets.ts';
import {
  compileCache,
  serviceCommands,
  serviceEnvironment,
  type ServiceSettings,
  type Submission,
  type WorldAddresses,
} from './service-commands.ts';
import { Supervised, type Says } from './supervised.ts';

const run = promisify(execFile);
export const REPOSITORY = resolve(import.meta.dirname, '../../../..');

export interface PlatformOptions {
  /** Holds the platform's secrets and logs. */
  readonly dir: string;
  readonly stores: Stores;
  readonly world: WorldAddresses;
  /** Free ports are taken if not given. */
  readonly ports?: Readonly<Record<Service, number>>;
  /** Passed through to every service, by variable name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Takes mail by SMTP, too. */
  readonly submission?: Submission;
  readonly says?: Says;
  /** Called when a process has started or ended: `pids` has changed. */
  readonly changed?: () => void;
}

/** All services of Lethe as supervised child processes on one set of stores. */
export interface Platform {
  readonly gateway: string;
  readonly secrets: PlatformSecrets;
  readonly services: Readonly<Record<Service, Supervised>>;
  readonly pids: Readonly<Record<Service, number | null>>;
  readonly logDir: string;
  /** Resolves once the gateway says that mail can be accepted. */
  ready(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Migrates every database, then starts the built services (`npm run build` first). Does not wait: see `ready`. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { dir, stores, world, settings = {}, says = () => undefined } = options;
  const processFile = join(dir, 'services.json');
  for (const name of await endLeftovers(processFile)) says(`ended ${name}, left over from a former start`);
  const secrets = platformSecrets(join(dir, 'secrets'));
  const ports = options.ports ?? (await pickPorts());
  const { submission } = options;
  const serviceSettings: ServiceSettings = {
    repository: REPOSITORY,
    dir,
    stores,
    secrets,
    world,
    ports,
    settings,
    submission,
  };
  await migrate(serviceSettings);

  const services = {} as Record<Service, Supervised>;
  const changed = (): void => {
    const identities = Object.values(services).flatMap(({ identity }) => identity ?? []);
    recordProcesses(processFile, identities);
    options.changed?.();
  };
  for (const command of serviceCommands(serviceSettings)) {
    const service = new Supervised(command, says, changed);
    services[command.name as Service] = service;
    service.start();
  }
  const gateway = `http://127.0.0.1:${ports.gateway}`;
  return {
    gateway,
    secrets,
    services,
    logDir: join(dir, 'logs'),
    get pids() {
      return Object.fromEntries(SERVICES.map((name) => [name, services[name].pid])) as Record<Service, number | null>;
    },
    ready: async (timeoutMs = 60_000) => {
      await Promise.all(SERVICES.map((name) => services[name].ready(timeoutMs)));
    },
    stop: async () => {
      // The door first, so that nothing is accepted while the rest goes.
      await services.gateway.stop();
      await Promise.all(SERVICES.map((name) => services[name].stop()));
      recordProcesses(processFile, []);
    },
  };
}

/** Vault first: the services' migrations may need nothing of it, but nothing starts without it. */
async function migrate(options: ServiceSettings): Promise<void> {
  const script = (service: Service): string => join(options.repository, 'apps', service, 'dist', 'migrate.js');
  const migrateService = async (service: Service, more: Record<string, string> = {}): Promise<void> => {
    if (!existsSync(script(service))) return;
    const env = { ...serviceEnvironment(service, options), ...compileCache(options.repository), ...more };
    try {
      await run(process.execPath, [script(service)], { cwd: options.repository, env, timeout: 60_000 });
    } catch (error) {
      throw new Error(`migrating ${service} failed:\n${(error as { stderr?: string }).stderr ?? ''}`, { cause: error });
    }
  };
  const { ownerUrl } = options.stores.vault;
  await Promise.all([
    migrateService('privacy', { VAULT_OWNER_URL: ownerUrl }),
    ...SERVICES.filter((service) => service !== 'privacy').map((service) => migrateService(service)),
  ]);
}

function pickPorts(): Promise<Record<Service, number>> {
  return freePorts(...SERVICES);
}
