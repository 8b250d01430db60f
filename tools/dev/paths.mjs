import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');

/** Where `npm start` keeps data, logs and keys: `.lethe`, or another folder with `LETHE_DATA`. */
export const dataFolder = () => resolve(root, process.env.LETHE_DATA || '.lethe');

/** Node 24 of the lock file; the installed one where it is new enough itself. */
export function node() {
  const own = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `There is no Node 24 package for ${process.platform}-${process.arch}: install Node 24 and start again.`,
  );
}
