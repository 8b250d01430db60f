import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../dev/paths.mjs';
import { failureLines } from './failures.mjs';
import type { StageReport } from './failures.reporter.ts';

const many = (count: number, lines: number) =>
  Array.from({ length: count }, (_, n) => ({
    name: `a.test.ts > suite > test ${n}`,
    error: Array.from({ length: lines }, (_unused, line) => `line ${line}`),
  }));

describe('the end of npm test', () => {
  it('says nothing when nothing failed', () => {
    expect(failureLines([])).toEqual([]);
  });

  it('names a failed test and shows the beginning of its error', () => {
    const lines = failureLines(many(1, 100));
    expect(lines).toHaveLength(16);
    expect(lines.slice(0, 2)).toEqual(['✗ a.test.ts > suite > test 0', '    line 0']);
  });

  it('names many, and stays within what a reader of the last lines sees', () => {
    const lines = failureLines(many(500, 100));
    expect(lines.filter((line) => line.startsWith('✗'))).toHaveLength(40);
    expect(lines.at(-1)).toBe('… and 460 more, above');
    expect(lines.length).toBeLessThan(100);
    expect(failureLines(many(30, 100)).length).toBeLessThan(100);
  });

  it('cuts what is too wide for one line', () => {
    const [name, error] = failureLines([{ name: 'x'.repeat(10_000), error: ['y'.repeat(10_000)] }]);
    expect([name?.length, error?.length]).toEqual([300, 300]);
  });
});

describe('what a stage reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-failures-'));
  let report: StageReport;
  beforeAll(() => {
    const file = join(folder, 'report.json');
    const test = (name: string, text: string) => writeFileSync(join(folder, `${name}.test.js`), text);
    test('fails', `describe('suite', () => { it('works', () => {}); it('fails', () => expect([1]).toEqual([2])); });`);
    test(
      'hook',
      `describe('hooked', () => { beforeAll(() => { throw new Error('no store'); }); it('waits', () => {}); });`,
    );
    test('unloadable', `throw new Error('cannot be loaded');`);
    test(
      'outside',
      `it('ends', async () => { void Promise.reject(new Error('nobody waits')); await new Promise(setImmediate); });`,
    );
    spawnSync(
      join(root, 'node_modules/.bin/node'),
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--globals',
        '--root',
        folder,
        `--reporter=${join(root, 'tools/test/failures.reporter.ts')}`,
      ],
      { cwd: folder, env: { ...process.env, LETHE_TEST_REPORT: file } },
    );
    report = JSON.parse(readFileSync(file, 'utf8')) as StageReport;
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const of = (name: string) => report.failures.find((failure) => failure.name === name)?.error.join('\n');

  it('counts tests', () => {
    expect(report).toMatchObject({ passed: 2, failed: 1 });
  });

  it('has a failed test with its place and what differed', () => {
    expect(of('fails.test.js > suite > fails')).toMatch(
      /fails\.test\.js:1:[\s\S]*AssertionError[\s\S]*- {3}2,[\s\S]*\+ {3}1,/,
    );
  });

  it('has what failed without being a test: a hook, a file, an error that nobody waits for', () => {
    expect(of('hook.test.js > hooked')).toContain('no store');
    expect(of('unloadable.test.js')).toContain('cannot be loaded');
    expect(of('outside of any test')).toContain('nobody waits');
  });
});
