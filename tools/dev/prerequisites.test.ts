import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { isInstalled } from './install.mjs';
import { root } from './paths.mjs';
import { prerequisites, type Machine } from './prerequisites.mjs';

const GIB = 1024 ** 3;
const folder = mkdtempSync(join(tmpdir(), 'lethe-machine-'));
const bin = join(folder, 'bin');

/** Has nothing but Node and room. */
const bare = (more: Partial<Machine> = {}): Machine => ({
  env: { PATH: bin },
  nodeVersion: '20.1.0',
  freeBytes: 100 * GIB,
  jvmFolders: [join(folder, 'jvm')],
  stored: false,
  ...more,
});
const refusal = (machine: Machine): string => {
  try {
    return prerequisites(machine);
  } catch (error) {
    return (error as Error).message;
  }
};
const program = (name: string, body: string): void => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
};
const jdk = (version: string): void => {
  mkdirSync(join(folder, 'jvm', version), { recursive: true });
  writeFileSync(join(folder, 'jvm', version, 'release'), `JAVA_VERSION="${version}"\n`);
};

beforeAll(() => mkdirSync(bin));
afterAll(() => rmSync(folder, { recursive: true }));

describe('what npm start needs', () => {
  it('is listed whole where it is missing', () => {
    expect(refusal(bare({ nodeVersion: '18.20.0', freeBytes: GIB }))).toBe(`Lethe needs:
  - Node.js 20 or newer (this is 18.20.0)
  - 4 GiB of free disk for data and packages (there are 1.0 GiB); free some space, \`npm run reset\` removes local data
  - either a running Docker engine, or, to run the stores natively:
    - a JDK, version 21 or newer (set JAVA_HOME if it is installed elsewhere)
    - Apache Maven 3.8 or newer (\`mvn\` on the PATH)
Then run \`npm start\` again.`);
  });

  it('is a JDK of 21 or newer, not an older one, and Maven until the stores are fetched', () => {
    jdk('17.0.15');
    expect(refusal(bare({ stored: true }))).toContain('a JDK, version 21');
    jdk('25.0.1');
    expect(refusal(bare())).not.toContain('JDK');
    expect(refusal(bare())).toContain('Maven');
    expect(refusal(bare({ stored: true }))).toBe('native');
    program('mvn', 'exit 1');
    expect(refusal(bare())).toBe('native');
  });

  it('is Docker instead, where its engine answers and nobody wants it native', () => {
    program('docker', '[ "$1" = info ] && exit 1');
    expect(refusal(bare())).toBe('native');
    program('docker', '[ "$1" = info ]');
    expect(refusal(bare({ jvmFolders: [] }))).toBe('docker');
    expect(refusal(bare({ env: { PATH: bin, LETHE_ENGINE: 'native' } }))).toBe('native');
  });

  it('is said by npm start itself, plainly', () => {
    const none = { LETHE_CACHE: join(folder, 'nothing'), PATH: join(folder, 'nothing'), JAVA_HOME: '', HOME: folder };
    const run = spawnSync(process.execPath, [join(root, 'tools/dev/start.mjs')], { env: none, encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^\nLethe needs:\n(.*\n)*.*Apache Maven/);
    expect(run.stderr).not.toMatch(/^ +at /m);
  });
});

it('says in plain words that the disk is full', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(explain(full)).toContain('The disk is full: free some space');
  expect(explain(new Error('kafka ended while starting. Its log ends:\nNo space left on device'))).toContain(
    'The disk is full',
  );
});

it('takes the packages for installed only where all of the lock file are there', () => {
  const lock = (name: string, packages: object): void =>
    writeFileSync(join(folder, name), JSON.stringify({ packages }));
  mkdirSync(join(folder, 'node_modules'));
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/mac': { version: '1.0.0', optional: true },
  };
  lock('package-lock.json', wanted);
  expect(isInstalled(folder)).toBe(false);
  lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
  expect(isInstalled(folder)).toBe(true);
  lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } });
  expect(isInstalled(folder)).toBe(false);
});
