import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PRIVACY_MAP, privacyMap } from './privacy-map.ts';

/** `npm run generate` (run.mjs) */
const root = fileURLToPath(new URL('../..', import.meta.url));
writeFileSync(join(root, PRIVACY_MAP), await privacyMap(root));
console.log(`${PRIVACY_MAP} is written.`);
