import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { dataFolder, root } from './paths.mjs';

const GIB = 1024 ** 3;
const OLDEST_JAVA = 21;
const JVM_FOLDERS = ['/usr/lib/jvm', '/Library/Java/JavaVirtualMachines'];

/**
 * Looks for what `npm start` needs.
 *
 * @param machine what the machine has; given by tests
 * @returns 'docker' or 'native'; throws with everything that is missing and how to get it
 */
export function prerequisites(machine = thisMachine()) {
  const { env, nodeVersion, freeBytes, jvmFolders, stored } = machine;
  const missing = [];
  if (Number(nodeVersion.split('.')[0]) < 20) missing.push(`Node.js 20 or newer (this is ${nodeVersion})`);
  const needed = stored ? 1 : 4;
  if (freeBytes < needed * GIB) {
    missing.push(
      `${needed} GiB of free disk for data and packages (there are ${(freeBytes / GIB).toFixed(1)} GiB); ` +
        'free some space, `npm run reset` removes local data',
    );
  }
  const docker = env.LETHE_ENGINE !== 'native' && dockerAnswers(env);
  if (!docker) {
    const native = [];
    if (!hasJava(env, jvmFolders)) {
      native.push(`a JDK, version ${OLDEST_JAVA} or newer (set JAVA_HOME if it is installed elsewhere)`);
    }
    // Maven fetches the stores once.
    if (!stored && !onPath('mvn', env)) native.push('Apache Maven 3.8 or newer (`mvn` on the PATH)');
    if (native.length > 0) {
      missing.push(`either a running Docker engine, or, to run the stores natively:\n    - ${native.join('\n    - ')}`);
    }
  }
  if (missing.length > 0) throw new Error(`Lethe needs:\n  - ${missing.join('\n  - ')}\nThen run \`npm start\` again.`);
  return docker ? 'docker' : 'native';
}

/** @returns what `prerequisites` looks at. */
export function thisMachine(env = process.env) {
  return {
    env,
    nodeVersion: process.versions.node,
    freeBytes: freeBytes(),
    jvmFolders: JVM_FOLDERS,
    stored: storesAreFetched(env),
  };
}

/** The folder may be missing before the first start. */
function freeBytes() {
  try {
    const { bavail, bsize } = statfsSync(existsSync(dataFolder()) ? dataFolder() : root);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

/** The cache of libs/testing/src/stores/cache.ts. */
function storesAreFetched(env) {
  const cache = env.LETHE_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lethe');
  const versions = readFileSync(join(root, 'deploy/stores/versions.env'), 'utf8');
  return ['kafka', 'elasticsearch'].every((store) => {
    const version = new RegExp(`^${store.toUpperCase()}_VERSION=(.*)$`, 'm').exec(versions)?.[1];
    return existsSync(join(cache, `${store}-${version}`));
  });
}

function onPath(command, env) {
  return (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/** The engine, not only the command. */
function dockerAnswers(env) {
  if (!onPath('docker', env)) return false;
  const asked = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { env, timeout: 10_000 });
  return asked.status === 0;
}

/** Starting a JVM to ask its version would take as long as everything else here; the `release` file tells it as well. */
function hasJava(env, jvmFolders) {
  const installed = jvmFolders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder).flatMap((name) => [join(folder, name), join(folder, name, 'Contents', 'Home')])
      : [],
  );
  const homes = [env.JAVA_HOME, ...installed].filter(Boolean);
  if (homes.some((home) => releaseOf(home) >= OLDEST_JAVA)) return true;
  if (!onPath('java', env)) return false;
  const { stderr } = spawnSync('java', ['-version'], { env, encoding: 'utf8', timeout: 10_000 });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0) >= OLDEST_JAVA;
}

function releaseOf(home) {
  try {
    return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
