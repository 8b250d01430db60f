import { sharedPlatform, SHARED_SETTINGS, startSuitePlatform, type SuitePlatform } from '@lethe/testing';
import type { TestProject } from 'vitest/node';

let suite: SuitePlatform | undefined;

/** Starts one platform for the suites that are clients of it alone; `inject('platform')` tells them where. After the stores' setup. */
export async function setup(project: TestProject): Promise<void> {
  const { stores } = project.getProvidedContext();
  suite = await startSuitePlatform({ stores, suite: `client${Date.now().toString(36)}`, settings: SHARED_SETTINGS });
  project.provide('platform', sharedPlatform(suite));
}

export async function teardown(): Promise<void> {
  await suite?.stop();
}
