import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOPICS } from '@lethe/contracts';
import { declaredStores } from './declared-stores.ts';
import { storeFaults, topicFaults } from './faults.ts';
import { renderPrivacyMap } from './render.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where the page stands, from the root of the workspace. */
export const PRIVACY_MAP = 'docs/privacy-map.md';

/** The page as it should be. Throws where a declaration has faults: half a map is none. */
export async function privacyMap(root: string): Promise<string> {
  const stores = await declaredStores(root);
  const faults = [...topicFaults(TOPICS), ...storeFaults(stores)];
  if (faults.length > 0) throw new Error(`The data map cannot be made:\n  ${faults.join('\n  ')}`);
  return renderPrivacyMap(TOPICS, stores);
}

/** `npm run generate` */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(ROOT, PRIVACY_MAP), await privacyMap(ROOT));
  console.log(`${PRIVACY_MAP} is written.`);
}
