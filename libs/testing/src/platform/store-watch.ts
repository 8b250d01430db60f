import type { RunningStores, StoreName } from '../stores/stores.ts';
import type { Says } from './supervised.ts';

const NAMES: readonly StoreName[] = ['kafka', 'elasticsearch', 'postgres', 'vault'];

/** Starts a store again that has died, with growing back-off. @returns a function that ends the watch. */
export function watchStores(running: RunningStores, says: Says, changed: () => void): () => void {
  const busy = new Set<StoreName>();
  const watch = { ended: false };
  const revive = async (name: StoreName): Promise<void> => {
    for (let backOffMs = 500; !watch.ended; backOffMs = Math.min(backOffMs * 2, 15_000)) {
      says(`${name} has died; started again in ${backOffMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, backOffMs));
      try {
        if (!watch.ended) await running[name].restart();
        running.record();
        changed();
        return;
      } catch (error) {
        says(`${name} could not be started: ${(error as Error).message}`);
      }
    }
  };
  const timer = setInterval(() => {
    for (const name of NAMES) {
      if (busy.has(name) || running[name].running()) continue;
      busy.add(name);
      void revive(name).finally(() => busy.delete(name));
    }
  }, 500);
  return () => {
    watch.ended = true;
    clearInterval(timer);
  };
}
