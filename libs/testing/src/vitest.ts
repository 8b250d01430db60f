import type { ProvidedContext } from 'vitest';
import type { Stores } from './stores/stores.ts';

/** What the global setup (tools/test/stores.setup.ts) hands to tests: `inject('stores')`. */
declare module 'vitest' {
  interface ProvidedContext {
    stores: Stores;
  }
}

export type { ProvidedContext };
