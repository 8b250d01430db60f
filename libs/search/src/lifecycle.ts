import type { Client } from '@elastic/elasticsearch';
import { errors } from '@elastic/elasticsearch';
import { StartupError } from '@lethe/service';
import { SearchError } from './search-error.ts';

/** Whether the cluster has index lifecycle management; builds without it refuse its settings. */
export type Lifecycle = 'full' | 'absent';

/**
 * Asks the cluster. Throws StartupError when it will not say: guessing "absent" would leave indices
 * without their policy.
 */
export async function detectLifecycle(client: Client): Promise<Lifecycle> {
  try {
    await client.ilm.getStatus();
    return 'full';
  } catch (error) {
    const status = error instanceof errors.ResponseError ? error.statusCode : undefined;
    // A build without the module does not know the path.
    if (status === 400 || status === 404 || status === 405) return 'absent';
    if (status === 401 || status === 403) {
      throw new StartupError(
        'Elasticsearch does not let this service see whether it has ILM. Give its API key the cluster privilege read_ilm.',
      );
    }
    throw SearchError.from(error);
  }
}

/** The settings without `index.lifecycle.*` where the cluster has no lifecycle management. */
export function fitSettings(settings: Record<string, unknown>, lifecycle: Lifecycle): Record<string, unknown> {
  if (lifecycle === 'full') return settings;
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) => !name.startsWith('index.lifecycle.') && !name.startsWith('lifecycle')),
  );
}
