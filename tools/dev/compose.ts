import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DATA } from './data-folder.ts';
import { root } from './paths.mjs';
import { basePort } from './ports.ts';

/** Written by tools/docker/prepare.ts: there once containers were started from this data folder. */
export const PREPARED = join(DATA.compose, 'compose.env');

/** The whole `docker compose` command up to the subcommand; version 1 of Compose where the plugin is not there. */
export function composeCommand(): { command: readonly string[]; waits: boolean } {
  const plugin = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;
  const own = basePort() === 8_080 ? 'lethe' : `lethe-${basePort()}`;
  const options = ['--project-name', own, '--env-file', PREPARED, '--file', join(root, 'docker-compose.yml')];
  return { command: [...(plugin ? ['docker', 'compose'] : ['docker-compose']), ...options], waits: plugin };
}

/** Runs one subcommand, its output shown. It is no part of the terminal's group: Ctrl-C must not end `down`. */
export async function compose(args: readonly string[], signal?: AbortSignal): Promise<void> {
  const [program = '', ...rest] = [...composeCommand().command, ...args];
  const child = spawn(program, rest, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  const end = (): boolean => child.kill('SIGINT');
  signal?.addEventListener('abort', end, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', () =>
      reject(
        new Error(
          `\`${program}\` cannot be started: install the Compose plugin of Docker, or set LETHE_ENGINE=native.`,
        ),
      ),
    );
    child.once('exit', resolve);
  });
  signal?.removeEventListener('abort', end);
  if (code !== 0) throw new Error(`\`${program} … ${args[0]}\` failed; its own words are above.`);
}
