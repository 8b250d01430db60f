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
const running = await startStores({ dir, progress: (message) => console.log(message) });
writeFileSync(`${description}.new`, JSON.stringify(running.stores, null, 2), { mode: 0o600 });
renameSync(`${description}.new`, description);
console.log(`described in ${description}`);
const keepAlive = setInterval(() => {}, 60_000);
const end = async () => {
  rmSync(description, { force: true });
  await running.stop();
  clearInterval(keepAlive);
};
process.once('SIGTERM', () => void end());
process.once('SIGINT', () => void end());
