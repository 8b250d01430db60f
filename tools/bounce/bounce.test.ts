import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { node, root } from '../dev/paths.mjs';

// Each starts a process of its own.
vi.setConfig({ testTimeout: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'lethe-bounce-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FROM = 'From: MAILER-DAEMON@mx.example\n';
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    node(),
    ['--conditions=@lethe/source', 'tools/bounce/bounce.ts', ...args],
    { cwd: root, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
};

const two = file('two.eml', `${FROM}\n<a@b.example>: mailbox full\n<c@d.example>: unknown host\n`);
const bounce = file(
  'bounce.eml',
  `${FROM}\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no\n`,
);

it('writes a line for each recipient, without an address', () => {
  expect(run(two, bounce)).toEqual({
    status: 0,
    stdout: `${two}\t1\t\t\tmailbox-full\tfalse\n${two}\t2\t\t\tunknown-host\ttrue\n${bounce}\t1\t5.1.1\t550\tunknown-user\ttrue\n`,
    stderr: '',
  });
  expect(run('--labels', bounce).stdout).toBe(`${bounce}\t1\t5.1.1\t550\tuserunknown\ttrue\n`);
});

it('names what is no bounce or cannot be read, and answers for the others', () => {
  const letter = file('letter.eml', 'From: jane@b.example\nSubject: Hello\n\nHow are you?\n');
  const missing = join(folder, 'missing.eml');
  const { status, stdout, stderr } = run(letter, missing, folder, bounce);
  expect(status).toBe(1);
  expect(stdout).toBe(`${bounce}\t1\t5.1.1\t550\tunknown-user\ttrue\n`);
  const [first, second, third] = stderr.split('\n');
  expect(first).toMatch(`${letter}: it is no bounce`);
  expect(second).toBe(`${missing}: it cannot be read (ENOENT)`);
  expect(third).toMatch(`${folder}: `);
  expect(stderr).not.toContain('@');
});

it('says how it is called', () => {
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('--labels') as string });
  expect(run('--wrong', bounce)).toMatchObject({ status: 1, stdout: '' });
});
