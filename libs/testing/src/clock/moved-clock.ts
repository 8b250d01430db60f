import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../stores/cache.ts';

/** Real time plus a number of days, for every process that is started with `environment`. */
export interface MovedClock {
  /** For stores and services. */
  readonly environment: Readonly<Record<string, string>>;
  /** The time those processes have, epoch ms. */
  now(): number;
  /** Moves them all on, under way and at once. Only the time of day: waits and timeouts take as long as ever. */
  forward(ms: number): void;
  /** To be called when they have ended. */
  close(): void;
}

const SOURCE = fileURLToPath(new URL('moved-clock.c', import.meta.url));
const NANOSECONDS = 1_000_000n;

/**
 * A clock that can be moved, on Linux with a C compiler (docs/decisions say why not libfaketime).
 * @returns null, having said what is missing, where there is none to be had; with LETHE_COMPLETE set that is an error instead.
 */
export function movedClock(): MovedClock | null {
  const library = compiled();
  if (library instanceof Error) {
    if (process.env.LETHE_COMPLETE) throw library;
    process.stderr.write(`skipped: what happens when the clock moves on; ${library.message}\n`);
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'lethe-clock-'));
  // The stores run as another user.
  chmodSync(folder, 0o755);
  const preloaded = join(folder, 'clock.so');
  copyFileSync(library, preloaded);
  const file = join(folder, 'moved');
  const descriptor = openSync(file, 'w', 0o644);
  let moved = 0;
  // In place, since it is mapped; eight octets are written whole.
  const write = (): void => {
    const octets = Buffer.alloc(8);
    octets.writeBigInt64LE(BigInt(moved) * NANOSECONDS);
    writeSync(descriptor, octets, 0, 8, 0);
  };
  write();
  return {
    environment: { LD_PRELOAD: preloaded, LETHE_CLOCK: file },
    now: () => Date.now() + moved,
    forward: (ms) => {
      moved += Math.round(ms);
      write();
    },
    close: () => {
      closeSync(descriptor);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The library, made once for each version of its source. */
function compiled(): string | Error {
  if (process.platform !== 'linux') return new Error('the clock can be moved on Linux only');
  const version = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const library = join(cacheFolder(), `moved-clock-${process.arch}-${version}.so`);
  if (existsSync(library)) return library;
  mkdirSync(cacheFolder(), { recursive: true });
  const partial = `${library}.${process.pid}`;
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', partial, SOURCE, '-ldl'], {
    encoding: 'utf8',
  });
  if (error) return new Error('a C compiler is missing (Debian: apt-get install gcc libc6-dev)');
  if (status !== 0) return new Error(`moved-clock.c cannot be compiled: ${stderr.trim().split('\n')[0] ?? ''}`);
  renameSync(partial, library);
  return library;
}
