import type { RunningStores, StoreName } from '../stores/stores.ts';
import type { Says } from './supervised.ts';

const NAMES: readonly StoreName[] = ['kafka', 'elasticsearch', 'postgres', 'vault'];

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 15_000;
const STABLE_MS = 30_000;

/**
 * Starts a store again that has died, with a back-off that grows while it keeps dying, as services have it.
 * @returns a function that ends the watch; it resolves once no store is being started by it any more.
 */
export function watchStores(running: RunningStores, says: Says, changed: () => void): () => Promise<void> {
  const busy = new Map<StoreName, Promise<void>>();
  const watch = { ended: false };
  const history = new Map<StoreName, { revivedAt: number; backOffMs: number }>();
  const revive = async (name: StoreName): Promise<void> => {
    const last = history.get(name);
    const stable = !last || performance.now() - last.revivedAt > STABLE_MS;
    let backOffMs = stable ? FIRST_BACK_OFF_MS : last.backOffMs;
    while (!watch.ended) {
      says(`${name} has died; started again in ${backOffMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, backOffMs));
      backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
      if (watch.ended) return;
      try {
        await running[name].restart();
        history.set(name, { revivedAt: performance.now(), backOffMs });
        running.record();
        changed();
        says(`${name} is back`);
        return;
      } catch (error) {
        if (!watch.ended) says(`${name} could not be started: ${(error as Error).message}`);
      }
    }
  };
  const timer = setInterval(() => {
    for (const name of NAMES) {
      if (busy.has(name) || running[name].running()) continue;
      busy.set(
        name,
        revive(name).finally(() => busy.delete(name)),
      );
    }
  }, 500);
  return async () => {
    watch.ended = true;
    clearInterval(timer);
    await Promise.all(busy.values());
  };
}
