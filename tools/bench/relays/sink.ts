import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { freePorts } from '@lethe/testing';

/** Postfix's `smtp-sink`: takes everything, keeps nothing, and counts. It costs less than what is measured. */
export interface Sink {
  readonly port: number;
  /** Messages so far. */
  received(): number;
  stop(): void;
}

/** Undefined where the program is missing. */
export async function startSink(): Promise<Sink | undefined> {
  if (spawnSync('smtp-sink', []).error) return undefined;
  const { port } = await freePorts('port');
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('smtp-sink', ['-c', ...user, `127.0.0.1:${port}`, '1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let count = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    const last = [...chunk.toString('latin1').matchAll(/mesg=(\d+)/g)].at(-1);
    if (last) count = Number(last[1]);
  });
  await once(child, 'spawn');
  return { port, received: () => count, stop: () => void child.kill() };
}
