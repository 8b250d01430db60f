import { existsSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { compose, PREPARED } from './compose.ts';
import { DATA, endLeftBehind, owner } from './data-folder.ts';
import { root } from './paths.mjs';

const other = owner();
if (other) {
  console.error(
    `Lethe is running (process ${other.pid}): stop it first (Ctrl-C where \`npm start\` runs), then reset.`,
  );
  process.exit(1);
}
await endLeftBehind((line) => console.log(line));
// The volumes of a Docker start are not in the folder.
if (existsSync(PREPARED)) {
  await compose(['down', '--volumes', '--remove-orphans']).catch((error: Error) => {
    console.error(
      `${error.message}\nThe containers' data could not be removed; start Docker and run \`npm run reset\` again.`,
    );
    process.exit(1);
  });
}
rmSync(DATA.folder, { recursive: true, force: true });
console.log(`Removed all local data (${relative(root, DATA.folder) || DATA.folder}).`);
