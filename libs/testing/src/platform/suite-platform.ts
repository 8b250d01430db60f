import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES, type Service } from '@lethe/contracts';
import type { Stores } from '../stores/stores.ts';
import { createDatabase, createTopics, createVault } from '../stores/suite.ts';
import { startWorld, type World, type WorldOptions } from '../world/world.ts';
import { createDemo, type Demo } from './demo.ts';
import { startPlatform, type Platform } from './platform.ts';

export interface SuitePlatformOptions {
  readonly stores: Stores;
  /** Letters and digits; unique per run. */
  readonly suite: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly world?: WorldOptions;
  /** The stores belong to this suite alone: no prefix, its own databases as they are. */
  readonly ownStores?: boolean;
}

export interface SuitePlatform {
  readonly platform: Platform;
  readonly world: World;
  readonly demo: Demo;
  readonly stores: Stores;
  stop(): Promise<void>;
}

/** The built services, an SMTP world and a demo account for one test suite, under a prefix of their own on shared stores. */
export async function startSuitePlatform(options: SuitePlatformOptions): Promise<SuitePlatform> {
  const dir = mkdtempSync(join(tmpdir(), `lethe-${options.suite}-`));
  const world = await startWorld(options.world ?? {});
  const stores = options.ownStores ? options.stores : await storesOfSuite(options.stores, options.suite);
  const prefixes = options.ownStores
    ? {}
    : { TOPIC_PREFIX: `${options.suite}-`, INDEX_PREFIX: `${options.suite.toLowerCase()}-` };
  const platform = await startPlatform({ dir, stores, world, settings: { ...prefixes, ...options.settings } });
  const stop = async (): Promise<void> => {
    await platform.stop();
    await world.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await platform.ready();
    const demo = await createDemo(
      platform.gateway,
      platform.secrets.operatorToken,
      `${options.suite.toLowerCase()}.example`,
    );
    return { platform, world, demo, stores, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function storesOfSuite(shared: Stores, suite: string): Promise<Stores> {
  await createTopics(shared, `${suite}-`);
  const owners = SERVICES.filter((service) => service !== 'gateway');
  const databases = await Promise.all(owners.map((service) => createDatabase(shared, service, suite)));
  const vault = await createVault(shared, suite);
  const ingest = databases[owners.indexOf('ingest')];
  if (!ingest) throw new Error('ingest has no database');
  return {
    ...shared,
    postgres: {
      ...shared.postgres,
      urls: Object.fromEntries(owners.map((service, index) => [service, databases[index]?.url])) as Record<
        Exclude<Service, 'gateway'>,
        string
      >,
      bodies: { ingest: ingest.url, delivery: ingest.urlFor('delivery') },
    },
    vault: { ...shared.vault, ownerUrl: vault.ownerUrl, urls: vault.urls },
  };
}
