import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, it } from 'vitest';
import { startHolder } from './support/holder-service.ts';
import { privacySide } from './support/holder-world.ts';
import { NotesHolder, notesDatabase } from './support/notes.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CHILD = fileURLToPath(new URL('./support/holder-child.mjs', import.meta.url));

/** Builds this library if what is built is older than its sources: the child runs the build. */
beforeAll(() => {
  const built = spawnSync('node_modules/.bin/tsc', ['-b', 'libs/privacy-holder'], { cwd: ROOT, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`libs/privacy-holder does not build:\n${built.stdout}`);
});

it('kill -9 in the midst of an erasure: whoever takes over does it and answers', async () => {
  const [side, database] = await Promise.all([privacySide(inject('stores')), notesDatabase(inject('stores'))]);
  const [requestId, accountId, subject] = [randomUUID(), randomUUID(), randomUUID()];
  await database.add({ accountId, subject });
  const child = spawn(process.execPath, [CHILD], {
    env: { PATH: process.env['PATH'], HOLDER_CONFIG: JSON.stringify(side.configOf('suppression')) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const ended = once(child, 'exit');
    const said = once(createInterface(child.stdout), 'line');
    const about = { requestId, attempt: 1, at: Date.now(), accountId, subjects: [subject], cutOff: Date.now() };
    await side.ask({ ...about, step: 'erase', doNotContact: 'default' });
    expect((await said)[0]).toBe(`erase ${requestId}`);
    child.kill('SIGKILL');
    await ended;
    expect(await side.committed()).toBe(0);
    expect(side.replies).toEqual([]);

    const heir = await startHolder(side, database.pool, NotesHolder);
    expect(await side.reply(requestId)).toMatchObject({ step: 'erase', attempt: 1, removed: { note: 1 } });
    await heir.close();
    expect(await side.committed()).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await side.close();
    await database.close();
  }
}, 90_000);
