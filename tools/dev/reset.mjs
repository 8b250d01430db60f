// Removes the data of `npm start`. Refuses while it runs.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const folder = join(root, '.lethe');
const running = join(folder, 'start.pid');

function isRunning() {
  if (!existsSync(running)) return false;
  const { pid, startedAt } = JSON.parse(readFileSync(running, 'utf8'));
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === startedAt;
  } catch {
    return false;
  }
}

if (isRunning()) {
  console.error('Lethe is running: stop it first (Ctrl-C where `npm start` runs), then reset.');
  process.exit(1);
}
rmSync(folder, { recursive: true, force: true });
console.log('Removed all local data (.lethe).');
