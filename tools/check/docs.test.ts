import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { answersOf, explained } from './answers.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
/** Made of parts that are listed by themselves. */
const COMPOSED = ['…: …', "'…' …"];

describe('docs/errors.md', () => {
  const inSources = [...answersOf(root)].filter(([message]) => !COMPOSED.includes(message));
  const onPage = explained(read('docs/errors.md'));

  it('finds the answers in the sources', () => {
    expect(inSources.length).toBeGreaterThan(80);
    expect(inSources.map(([message]) => message)).toContain('an address needs the form local@domain');
  });

  it('explains every answer', () => {
    expect(inSources.filter(([message]) => !onPage.includes(message))).toEqual([]);
  });

  it('explains no answer that is not given', () => {
    const given = new Set(inSources.map(([message]) => message));
    expect(onPage.filter((message) => !given.has(message))).toEqual([]);
  });
});

it('names only files that exist in docs/lifecycle.md', () => {
  const named = [...read('docs/lifecycle.md').matchAll(/`((?:apps|libs|tools)\/[^`]+)`/g)].map(
    ([, file]) => file ?? '',
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it('names only test files that exist in README.md', () => {
  const named = [...read('README.md').matchAll(/`(apps\/system-e2e\/test\/[^`]+)`/g)].map(([, file]) => file ?? '');
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it('links to files that exist', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })];
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target ?? '')
      .filter((target) => !target.includes('NNNN') && !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  );
  expect(broken).toEqual([]);
});

it('numbers decisions without gaps, each with the parts of the template', () => {
  const records = globSync('docs/decisions/*.md', { cwd: root }).toSorted();
  expect(records.map((file) => /(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1])).toEqual(
    records.map((_, index) => String(index).padStart(4, '0')),
  );
  const parts = [/^# \d{4}: /m, /^- Status: /m, /^- Date: /m, /^- Concerns: /m, /^## Question$/m, /^## Measured$/m];
  const whole = [...parts, /^## Decision$/m, /^## Consequences$/m];
  for (const file of records.slice(1)) {
    expect(whole.filter((part) => !part.test(read(file))).map(String), file).toEqual([]);
  }
});
