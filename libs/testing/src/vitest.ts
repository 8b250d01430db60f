import type { ProvidedContext } from 'vitest';
import type { SharedPlatform } from './platform/shared-platform.ts';
import type { Stores } from './stores/stores.ts';

/** What the global setups (tools/test/*.setup.ts) hand to tests: `inject('stores')`, `inject('platform')`. */
declare module 'vitest' {
  interface ProvidedContext {
    stores: Stores;
    platform: SharedPlatform;
  }
}

export type { ProvidedContext };
