/**
 * Keeps one set of stores running, for several test runs: `node --conditions=@lethe/source serve.ts <folder> <description>`.
 * Writes the description (JSON of `Stores`) when they are ready, and removes it when stopped (Ctrl-C, SIGTERM).
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers } from './processes.ts';
import { startStores } from './stores.ts';
import type { RunningStores } from './stores.ts';

const [dir, description] = process.argv.slice(2);
if (dir === undefined || description === undefined) {
  console.error('Usage: serve.ts <folder for data> <file for the description>');
  process.exit(2);
}
let running: RunningStores | undefined;
let ending: Promise<void> | undefined;
const end = () => {
  ending ??= (async () => {
    rmSync(description, { force: true });
    await running?.stop();
    // While starting: what has begun, and what begins meanwhile.
    while ((await endLeftovers(join(dir, 'processes.json'))).length > 0);
    process.exit(running ? 0 : 1);
  })();
};
// Started with a channel (npm test), it ends with who started it.
for (const name of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(name, end);

try {
  running = await startStores({ dir, shortLived: true, progress: (message) => console.log(message) });
} catch (error) {
  if (ending === undefined) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  await ending;
}
writeFileSync(`${description}.new`, JSON.stringify(running?.stores, null, 2), { mode: 0o600 });
renameSync(`${description}.new`, description);
console.log(`described in ${description}`);
process.send?.('ready');
// Nothing else may be left to do.
setInterval(() => {}, 60_000);
