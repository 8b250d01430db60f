import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import type { Topic } from '@lethe/contracts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const CHILD = fileURLToPath(new URL('./consumer-child.mjs', import.meta.url));

export interface ConsumerChild {
  started: { n: number; maybeDuplicate: boolean }[];
  done: number[];
  kill9(): Promise<void>;
  /** As a machine that stands still would: no heartbeats, and no knowledge of it afterwards. */
  freeze(): void;
  thaw(): void;
}

/** Builds this library if what is built is older than its sources: children run the build. */
export function build(): void {
  const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['-b', 'libs/kafka'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`libs/kafka does not build:\n${stdout}`);
}

export function startChild(options: {
  prefix: string;
  topic: Topic;
  hang: (number | 'all')[];
  concurrency: number;
}): ConsumerChild {
  const { kafka } = inject('stores');
  const { value: _schema, ...topic } = options.topic;
  const child: ChildProcess = spawn(process.execPath, [CHILD], {
    env: {
      PATH: process.env['PATH'],
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_USERNAME: kafka.users.delivery.username,
      KAFKA_PASSWORD: kafka.users.delivery.password,
      TOPIC_PREFIX: options.prefix,
      TOPIC: JSON.stringify(topic),
      HANG: JSON.stringify(options.hang),
      CONCURRENCY: String(options.concurrency),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const started: ConsumerChild['started'] = [];
  const done: number[] = [];
  if (child.stdout) {
    createInterface(child.stdout).on('line', (line) => {
      const [word, n, maybeDuplicate] = line.split(' ');
      if (word === 'start') started.push({ n: Number(n), maybeDuplicate: maybeDuplicate === 'true' });
      if (word === 'done') done.push(Number(n));
    });
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    started,
    done,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill9: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
