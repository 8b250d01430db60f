import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** `npm ci`, unless what the lock file says is installed already. */
export async function install(say) {
  const stamp = join(root, 'node_modules', '.lethe-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing packages …');
  const { code, output } = await run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error']);
  if (code !== 0) throw new Error(`\`npm ci\` failed:\n${output.split('\n').slice(0, 12).join('\n')}`);
  writeFileSync(stamp, wanted);
  say('packages installed');
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
