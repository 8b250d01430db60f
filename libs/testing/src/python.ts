import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runForeign } from './foreign.ts';
import { cacheFolder } from './stores/cache.ts';

/**
 * The interpreter of a virtual environment with exactly these packages, made once in the cache: tests compare with programs
 * that share no code with us.
 * @returns null, having said why, where there is none to be had; with LETHE_COMPLETE set that is an error instead.
 */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string | null> {
  const folder = join(cacheFolder(), `python-${name}`);
  const interpreter = join(folder, 'bin/python');
  try {
    if (!existsSync(interpreter)) await make(folder, packages);
    return interpreter;
  } catch (error) {
    const what = `Python with ${packages.join(', ')}`;
    if (process.env.LETHE_COMPLETE)
      throw new Error(`${what} is needed here: ${(error as Error).message}`, { cause: error });
    process.stderr.write(`skipped: comparison with ${what} (${(error as Error).message})\n`);
    return null;
  }
}

async function make(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(cacheFolder(), { recursive: true });
  if (spawnSync('python3', ['--version']).error) throw new Error('there is no python3');
  // Whole or not at all, also when two make it at once. Only its scripts would know that it was renamed, and nobody calls those.
  const partial = `${folder}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', partial]);
    await run(join(partial, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

const run = (command: string, args: readonly string[]): Promise<void> =>
  runForeign(args.slice(0, 3).join(' '), command, args, { timeout: 300_000 });
