/**
 * Keeps one set of stores running, for several test runs: `node --conditions=@lethe/source serve.ts <folder> <description>`.
 * Writes the description (JSON of `Stores`) when they are ready, and removes it when stopped (Ctrl-C, SIGTERM).
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { startStores } from './stores.ts';

const [dir, description] = process.argv.slice(2);
if (dir === undefined || description === undefined) {
  console.error('Usage: serve.ts <folder for data> <file for the description>');
  process.exit(2);
}
const running = await startStores({ dir, progress: (message) => console.log(message) }).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
writeFileSync(`${description}.new`, JSON.stringify(running.stores, null, 2), { mode: 0o600 });
renameSync(`${description}.new`, description);
console.log(`described in ${description}`);

const keepAlive = setInterval(() => {}, 60_000);
let ending: Promise<void> | undefined;
const end = () => {
  ending ??= (async () => {
    rmSync(description, { force: true });
    await running.stop();
    clearInterval(keepAlive);
    if (process.connected) process.disconnect();
  })();
};
for (const name of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(name, end);
// Started with a channel (npm test), it ends with who started it.
process.send?.('ready');
