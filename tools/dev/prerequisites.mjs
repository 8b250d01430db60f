import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const answers = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return result.status === 0 ? `${result.stdout}${result.stderr}` : null;
};

/** @returns 'docker' or 'native'; throws with everything that is missing and how to get it. */
export function prerequisites() {
  const major = Number(process.versions.node.split('.')[0]);
  const missing = [];
  if (major < 20) missing.push(`Node.js 20 or newer (this is ${process.versions.node})`);
  const free = freeBytes();
  if (free < 4 * 1024 ** 3) {
    missing.push(`4 GiB of free disk in the project's folder (there are ${(free / 1024 ** 3).toFixed(1)} GiB)`);
  }
  const docker = process.env.LETHE_ENGINE !== 'native' && answers('docker', ['info', '--format', '{{.ServerVersion}}']);
  if (!docker) {
    const native = [];
    if (!hasJava()) native.push('a JDK, version 21 or newer (set JAVA_HOME if it is installed elsewhere)');
    if (!answers('mvn', ['--version'])) native.push('Apache Maven 3.8 or newer (`mvn` on the PATH)');
    if (native.length > 0) {
      missing.push(`either a running Docker engine, or, to run the stores natively:\n    - ${native.join('\n    - ')}`);
    }
  }
  if (missing.length > 0) throw new Error(`Lethe needs:\n  - ${missing.join('\n  - ')}\nThen run \`npm start\` again.`);
  return docker ? 'docker' : 'native';
}

function freeBytes() {
  try {
    const { bavail, bsize } = statfsSync(root);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

function hasJava() {
  const folder = '/usr/lib/jvm';
  const installed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const homes = [process.env.JAVA_HOME, ...installed].filter(Boolean);
  return ['java', ...homes.map((home) => join(home, 'bin', 'java'))].some((java) => {
    const version = /version "(\d+)/.exec(answers(java, ['-version']) ?? '');
    return version !== null && Number(version[1]) >= 21;
  });
}
