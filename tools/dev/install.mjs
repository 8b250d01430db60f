import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** `npm ci`, unless what the lock file says is installed already, by whomever. */
export async function install(say) {
  if (isInstalled(root)) return;
  say('installing packages …');
  const { code, output } = await run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error']);
  if (code !== 0) throw new Error(`\`npm ci\` failed:\n${output.split('\n').slice(0, 12).join('\n')}`);
  say('packages installed');
}

/** Compares the lock file with what npm notes of its installations. Packages for other platforms may be missing. */
export function isInstalled(folder) {
  const packages = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')).packages;
  try {
    const wanted = packages('package-lock.json');
    const present = packages('node_modules/.package-lock.json');
    return Object.entries(wanted).every(
      ([path, { version, link, optional }]) =>
        !path.startsWith('node_modules/') || link || (present[path] ? present[path].version === version : optional),
    );
  } catch {
    return false;
  }
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', () => reject(new Error(`\`${command}\` cannot be started: is it installed and on the PATH?`)));
    child.on('exit', (code) => resolve({ code, output }));
  });
}
