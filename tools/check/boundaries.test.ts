import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violation } from './boundaries.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'lethe-boundaries-'));

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

function workspace(path: string, tag: string, dependencies: string[], exports?: object): void {
  write(`${path}/package.json`, {
    name: `@lethe/${path.split('/')[1]}`,
    nx: { tags: [tag] },
    dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])),
    ...(exports ? { exports } : { exports: { '.': './src/index.ts' } }),
  });
}

beforeAll(() => {
  write('package.json', { name: 'planted', workspaces: ['apps/*', 'libs/*'], devDependencies: { vitest: '*' } });
  workspace('apps/ingest', 'app:ingest', ['@lethe/kafka', '@lethe/search', '@lethe/gateway', 'zod']);
  workspace('apps/gateway', 'app:gateway', []);
  workspace('libs/kafka', 'lib:kafka', ['@lethe/service', '@lethe/vault', '@lethe/search']);
  workspace('libs/vault', 'lib:vault', ['@lethe/service', '@lethe/kafka']);
  workspace('libs/search', 'lib:search', ['@lethe/service', '@lethe/database', '@lethe/contracts']);
  workspace('libs/database', 'lib:database', []);
  workspace('libs/service', 'lib:service', ['@lethe/contracts', '@lethe/mail']);
  workspace('libs/contracts', 'lib:contracts', ['@lethe/mail'], { '.': './src/index.ts', './examples': './e.ts' });
  workspace('libs/mail', 'lib:mail', []);
  workspace('libs/testing', 'lib:testing', []);
});
afterAll(() => rmSync(root, { recursive: true }));

const why = (file: string, specifier: string): string | null => violation(join(root, file), specifier);

describe('imports that the order of the design allows', () => {
  it.each([
    ['apps/ingest/src/main.ts', '@lethe/kafka'],
    ['apps/ingest/src/main.ts', '@lethe/search'],
    ['apps/ingest/src/main.ts', 'zod'],
    ['apps/ingest/src/main.ts', 'node:fs'],
    ['apps/ingest/src/main.ts', './app.module.ts'],
    ['apps/ingest/src/a/b.ts', '../c.ts'],
    ['apps/ingest/test/a.test.ts', '../src/main.ts'],
    ['apps/ingest/test/a.test.ts', '@lethe/testing'],
    ['apps/ingest/test/a.test.ts', 'vitest'],
    ['libs/service/src/a.test.ts', '@lethe/testing'],
    ['libs/kafka/src/index.ts', '@lethe/vault'],
    ['libs/search/src/index.ts', '@lethe/service'],
    ['libs/search/src/index.ts', '@lethe/contracts'],
    ['libs/service/src/index.ts', '@lethe/contracts/examples'],
    ['tools/bench/bench.ts', '@lethe/testing'],
    ['tools/bench/bench.ts', '@lethe/contracts'],
  ])('%s imports %s', (file, specifier) => expect(why(file, specifier)).toBeNull());
});

describe('planted violations', () => {
  it.each([
    ['libs/vault/src/index.ts', '@lethe/kafka', 'vault may not import kafka'],
    ['libs/kafka/src/index.ts', '@lethe/search', 'kafka may not import search'],
    ['libs/search/src/index.ts', '@lethe/database', 'search may not import database'],
    ['libs/contracts/src/index.ts', '@lethe/mail', 'contracts may not import mail'],
    ['apps/ingest/src/main.ts', '@lethe/gateway', 'apps are never imported'],
    ['apps/ingest/src/main.ts', '@lethe/vault', 'not declared in the package.json of @lethe/ingest'],
    ['apps/ingest/src/main.ts', 'kafkajs', 'not declared in the package.json of @lethe/ingest'],
    ['apps/ingest/src/main.ts', 'vitest', 'not declared'],
    ['apps/ingest/src/main.ts', '@lethe/testing', 'for tests only'],
    ['apps/ingest/src/main.ts', '@lethe/kafka/src/window.ts', 'reaches into a library'],
    ['apps/ingest/src/main.ts', '../../gateway/src/main.ts', 'leaves its package'],
    ['apps/ingest/test/a.test.ts', '../../gateway/src/main.ts', 'leaves its package'],
    ['apps/ingest/src/main.ts', '@lethe/nothing', 'no workspace package'],
    ['tools/bench/bench.ts', 'left-pad', 'not declared in the package.json of planted'],
  ])('%s imports %s', (file, specifier, reason) => expect(why(file, specifier)).toContain(reason));
});

it('is run by the linter on every kind of import', { timeout: 60_000 }, () => {
  // A plugin that throws or is not loaded leaves the linter silent, so the linter itself has to show what it sees.
  const plugin = join(repository, 'tools/check/boundaries.mjs');
  write('oxlintrc.json', { categories: { correctness: 'off' }, jsPlugins: [plugin], rules: { 'lethe/boundaries': 2 } });
  write(
    'libs/vault/src/planted.ts',
    `import '@lethe/kafka';
     import type { A } from '@lethe/kafka';
     export { b } from '@lethe/kafka';
     export * from '@lethe/kafka';
     export type C = import('@lethe/kafka').C;
     export const d = (): Promise<unknown> => import('@lethe/kafka');
     import '@lethe/service';`,
  );
  const oxlint = join(repository, 'node_modules/.bin/oxlint');
  const run = spawnSync(oxlint, ['-c', 'oxlintrc.json', '-f', 'unix', 'libs/vault'], {
    cwd: root,
    encoding: 'utf8',
  });
  const lines = run.stdout.split('\n').filter((line) => line.includes('lethe(boundaries)'));
  expect(lines.map((line) => Number(line.split(':')[1]))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(run.status).toBe(1);
});
