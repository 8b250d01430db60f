import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES, type Service } from '@lethe/contracts';
import {
  cacheFolder,
  lock,
  startStores,
  startSuitePlatform,
  until,
  type RunningStores,
  type StoreName,
  type StoresOptions,
  type SuitePlatform,
  type WorldOptions,
} from '@lethe/testing';

export const STORES: readonly StoreName[] = ['kafka', 'postgres', 'vault', 'elasticsearch'];
export type Target = Service | StoreName;
/** Everything that can be killed. */
export const TARGETS: readonly Target[] = [...SERVICES, ...STORES];

/** Bounds what hangs, not what is slow. */
const RECOVERY_MS = 180_000;

/** The whole of Lethe on stores that belong to one suite alone, so that it may break them. */
export interface OwnPlatform extends SuitePlatform {
  readonly running: RunningStores;
}

export async function startOwnPlatform(
  suite: string,
  options: {
    settings?: Readonly<Record<string, string>>;
    stores?: Pick<StoresOptions, 'settings' | 'environment'>;
    worldBytes?: number;
    world?: WorldOptions;
  } = {},
): Promise<OwnPlatform> {
  // A start takes all of the machine for half a minute: two at once would only be late both.
  const started = await lock(join(cacheFolder(), 'platform.lock'), 'Another platform has been starting for too long.');
  const dir = mkdtempSync(join(tmpdir(), `lethe-${suite}-stores-`));
  const running = await startStores({ dir, shortLived: true, ...options.stores }).catch((error: unknown) => {
    started();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const own = await startSuitePlatform({
      stores: running.stores,
      suite,
      ownStores: true,
      settings: { RETRY_DELAYS: '1s,1s,2s', RETRY_POLL_MS: '100', ...options.settings },
      world: { maxBytes: options.worldBytes ?? 256 * 1024 * 1024, ...options.world },
    });
    return {
      ...own,
      running,
      stop: async () => {
        await own.stop();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    started();
  }
}

/**
 * SIGKILL. A service is started again by its supervisor, a store after `downMs`.
 * @returns how long it took until every service was ready again, in ms.
 */
export async function killAndRecover(own: OwnPlatform, target: Target, downMs = 1_000): Promise<number> {
  const begin = performance.now();
  await kill(own, target);
  if (isStore(target)) {
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await revive(own, target);
  } else await restarted(own, target);
  await own.platform.ready(RECOVERY_MS);
  return performance.now() - begin;
}

export async function kill(own: OwnPlatform, target: Target): Promise<void> {
  if (isStore(target)) await own.running[target].kill9();
  else own.platform.services[target].kill9();
}

export async function revive(own: OwnPlatform, store: StoreName): Promise<void> {
  await own.running[store].restart();
  own.running.record();
}

/** Resolves once mail is accepted again. `away`: services that are held down meanwhile. */
export async function accepting(own: OwnPlatform, away: readonly Service[] = []): Promise<void> {
  const there = SERVICES.filter((service) => !away.includes(service));
  await Promise.all(there.map((service) => own.platform.services[service].ready(RECOVERY_MS)));
  const open = async (): Promise<boolean> => (await fetch(`${own.platform.gateway}/health`)).ok;
  if (!(await until(open, RECOVERY_MS, 100))) throw new Error('the gateway did not accept mail again');
}

const isStore = (target: Target): target is StoreName => (STORES as readonly string[]).includes(target);

async function restarted(own: OwnPlatform, service: Service): Promise<void> {
  const supervised = own.platform.services[service];
  const { restarts } = supervised;
  if (await until(() => supervised.restarts > restarts, RECOVERY_MS, 20)) return;
  throw new Error(`${service} was not started again`);
}
