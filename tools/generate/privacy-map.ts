import { TOPICS } from '@lethe/contracts';
import { declaredStores } from './declared-stores.ts';
import { storeFaults, topicFaults } from './faults.ts';
import { renderPrivacyMap } from './render.ts';

/** Where the page stands, from the root of the workspace. */
export const PRIVACY_MAP = 'docs/privacy-map.md';

/** The page as it should be. Throws where a declaration has faults: half a map is none. */
export async function privacyMap(root: string): Promise<string> {
  const stores = await declaredStores(root);
  const faults = [...topicFaults(TOPICS), ...storeFaults(stores)];
  if (faults.length > 0) throw new Error(`The data map cannot be made:\n  ${faults.join('\n  ')}`);
  return renderPrivacyMap(TOPICS, stores);
}
