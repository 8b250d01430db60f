import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers, isRunning, processIdentity, type ProcessIdentity } from '@lethe/testing';
import { dataFolder } from './paths.mjs';

const folder: string = dataFolder();

/** Everything `npm start` keeps. One start uses it at a time. */
export const DATA = {
  folder,
  running: join(folder, 'running.json'),
  demo: join(folder, 'demo.json'),
  stores: join(folder, 'stores'),
  platform: join(folder, 'platform'),
  compose: join(folder, 'compose'),
} as const;

const OWNER = join(folder, 'start.pid');
/** Where a native start notes what it started, as it starts it. */
export const STORE_PROCESSES = join(DATA.stores, 'processes.json');
const SERVICE_PROCESSES = join(DATA.platform, 'services.json');

/** @returns the start that uses the folder at this moment, or null. */
export function owner(): ProcessIdentity | null {
  if (!existsSync(OWNER)) return null;
  try {
    const identity = JSON.parse(readFileSync(OWNER, 'utf8')) as ProcessIdentity;
    return identity.pid !== process.pid && isRunning(identity) ? identity : null;
  } catch {
    return null;
  }
}

/** Takes the folder, and ends what a killed start has left in it. Fails where another start is using it. */
export async function takeFolder(say: (line: string) => void): Promise<void> {
  const other = owner();
  if (other) {
    throw new Error(
      `Lethe runs already (process ${other.pid}). Stop it first (Ctrl-C there), or start another beside it with ports and a ` +
        'folder of its own: LETHE_PORT=9080 LETHE_DATA=.lethe/second npm start',
    );
  }
  // What is secret in it is closed by itself; the stores may run as another user.
  mkdirSync(folder, { recursive: true });
  writeFileSync(OWNER, JSON.stringify(processIdentity(process.pid, 'start')), { mode: 0o600 });
  rmSync(DATA.running, { force: true });
  await endLeftBehind(say);
}

/** Exactly the recorded processes: same pid, same start time. The services go before what they use. */
export async function endLeftBehind(say: (line: string) => void): Promise<void> {
  for (const file of [SERVICE_PROCESSES, STORE_PROCESSES]) {
    for (const name of await endLeftovers(file)) say(`ended ${name}, left over from a killed start`);
  }
}

export function leaveFolder(): void {
  rmSync(DATA.running, { force: true });
  rmSync(OWNER, { force: true });
}
