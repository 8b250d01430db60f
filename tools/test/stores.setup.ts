import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStores } from '@lethe/testing';
import type { Stores } from '@lethe/testing';
import type { TestProject } from 'vitest/node';

/** Ends what `setup` started. */
let end: (() => Promise<void>) | undefined;

/**
 * Starts the stores, on ports and in a folder of their own; `inject('stores')` tells tests where. LETHE_STORES names the description
 * of a set that already runs (libs/testing/src/stores/serve.ts; `npm test` has one), which is then used and left alone.
 */
export async function setup(project: TestProject): Promise<void> {
  const described = process.env.LETHE_STORES;
  if (described !== undefined && described !== '') {
    project.provide('stores', JSON.parse(readFileSync(described, 'utf8')) as Stores);
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'lethe-test-stores-'));
  const running = await startStores({
    dir,
    shortLived: true,
    progress: (message) => console.log(`stores: ${message}`),
  });
  project.provide('stores', running.stores);
  end = async () => {
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}

export async function teardown(): Promise<void> {
  await end?.();
}
