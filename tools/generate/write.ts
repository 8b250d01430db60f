import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPATIBILITY, compatibilityPage } from './compatibility.ts';
import { PRIVACY_MAP, privacyMap } from './privacy-map.ts';

/** `npm run generate` (run.mjs) */
const root = fileURLToPath(new URL('../..', import.meta.url));
for (const [file, page] of [
  [PRIVACY_MAP, await privacyMap(root)],
  [COMPATIBILITY, await compatibilityPage(root)],
] as const) {
  writeFileSync(join(root, file), page);
  console.log(`${file} is written.`);
}
