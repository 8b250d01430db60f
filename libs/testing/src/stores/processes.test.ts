import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endLeftovers, isRunning, processIdentity, recordProcesses } from './processes.ts';

let folder: string;
let file: string;
const children: ReturnType<typeof spawn>[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-processes-'));
  file = join(folder, 'processes.json');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function start(script: string) {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return new Promise<number>((resolve) => child.stdout.once('data', () => resolve(child.pid!)));
}

const WAITS = 'setInterval(() => {}, 1000); console.log("up")';

it('ends what was recorded, the deaf too, and forgets it', async () => {
  const willing = processIdentity(await start(WAITS), 'willing')!;
  const deaf = processIdentity(await start(`process.on("SIGTERM", () => {}); ${WAITS}`), 'deaf')!;
  recordProcesses(file, [willing, deaf]);
  expect(await endLeftovers(file, 300)).toEqual(['willing', 'deaf']);
  expect([isRunning(willing), isRunning(deaf)]).toEqual([false, false]);
  expect(existsSync(file)).toBe(false);
});

it('leaves a later process alone that was given the same pid', async () => {
  const other = processIdentity(await start(WAITS), 'other')!;
  recordProcesses(file, [{ ...other, startedAt: '1' }]);
  expect(await endLeftovers(file, 300)).toEqual([]);
  expect(isRunning(other)).toBe(true);
});

it('has nothing to end where nothing was recorded', async () => {
  expect(await endLeftovers(join(folder, 'absent.json'))).toEqual([]);
});
