import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkLayout } from './layout.mjs';

let root: string;

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

/** A workspace without a fault: one app that uses one library. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lethe-layout-'));
  write('tsconfig.json', { references: [{ path: 'apps/ingest' }, { path: 'libs/contracts' }] });
  write('apps/ingest/package.json', {
    name: '@lethe/ingest',
    nx: { tags: ['app:ingest'] },
    dependencies: { '@lethe/contracts': '*', zod: '4' },
  });
  write('apps/ingest/tsconfig.json', { references: [{ path: '../../libs/contracts' }] });
  write('apps/ingest/README.md', '# ingest');
  write('apps/ingest/src/main.ts', "import { MAIL_EVENTS } from '@lethe/contracts'; // reads `mail-events`\n");
  write('apps/ingest/src/a.test.ts', "const topic = 'mail-events';\n");
  write('libs/contracts/package.json', { name: '@lethe/contracts', nx: { tags: ['lib:contracts'] } });
  write('libs/contracts/tsconfig.json', {});
  write('libs/contracts/src/index.ts', '');
  write('libs/contracts/src/topics/topics.ts', "export const MAIL_EVENTS = { name: 'mail-events' };");
});
afterEach(() => rmSync(root, { recursive: true }));

it('finds nothing in a sound workspace', () => {
  expect(checkLayout(root)).toEqual({ faults: [], warnings: [] });
});

it.each<[string, () => void, string]>([
  ['an app without README', () => rmSync(join(root, 'apps/ingest/README.md')), 'apps/ingest: README.md is missing'],
  ['an index.ts in an app', () => write('apps/ingest/src/feature/index.ts', ''), 'apps have no index.ts'],
  ['a second index.ts in a library', () => write('libs/contracts/src/events/index.ts', ''), 'one src/index.ts'],
  ['a library without index.ts', () => rmSync(join(root, 'libs/contracts/src/index.ts')), 'src/index.ts is missing'],
  [
    'an app without its tag',
    () => write('apps/ingest/package.json', { name: '@lethe/ingest', dependencies: { '@lethe/contracts': '*' } }),
    'add "app:ingest" to nx.tags',
  ],
  [
    'a dependency without reference',
    () => write('apps/ingest/tsconfig.json', {}),
    'add a reference to @lethe/contracts',
  ],
  [
    'a reference without dependency',
    () => write('libs/contracts/tsconfig.json', { references: [{ path: '../mail' }] }),
    'remove the reference to @lethe/mail',
  ],
  ['a package nobody compiles', () => write('tsconfig.json', { references: [] }), 'add a reference to apps/ingest'],
  [
    'a topic name as literal',
    () => write('apps/ingest/src/b.ts', "\nconsume('mail-events');\n"),
    "apps/ingest/src/b.ts:2: topic 'mail-events'",
  ],
  ['a file that is too long', () => write('apps/ingest/src/long.ts', '\n'.repeat(601)), 'long.ts: 601 lines; split it'],
])('names %s', (_, plant, fault) => {
  plant();
  expect(checkLayout(root).faults.join('\n')).toContain(fault);
});

it('warns of a file before it is too long', () => {
  write('apps/ingest/src/long.ts', '\n'.repeat(501));
  expect(checkLayout(root)).toEqual({ faults: [], warnings: [expect.stringContaining('501 lines')] });
});
