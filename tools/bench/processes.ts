import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** CPU and memory of whole process trees, read from /proc (Linux). */
export interface Usage {
  /** CPU seconds, user and system, ended children included. */
  readonly cpuSeconds: number;
  /** Proportional set size now, bytes: shared pages counted once. */
  readonly memoryBytes: number;
}

const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage {
  const pids = [pid, ...descendants(pid)];
  return {
    cpuSeconds: pids.reduce((sum, one) => sum + cpuTicks(one), 0) / TICKS_PER_SECOND,
    memoryBytes: pids.reduce((sum, one) => sum + proportionalBytes(one), 0),
  };
}

/** CPU seconds of those that run, by name. */
export const usedBy = (pids: Readonly<Record<string, number | null>>): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).flatMap(([name, pid]) => (pid ? [[name, usageOf(pid).cpuSeconds]] : [])));

/** Whether something listens on the port. */
export const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });

/** Samples memory of named process trees until stopped; the highest sum of each. */
export function watchMemory(pids: () => Readonly<Record<string, number>>): { stop(): Record<string, number> } {
  const peaks: Record<string, number> = {};
  const sample = (): void => {
    for (const [name, pid] of Object.entries(pids())) {
      peaks[name] = Math.max(peaks[name] ?? 0, usageOf(pid).memoryBytes);
    }
  };
  sample();
  const timer = setInterval(sample, 1_000);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return peaks;
    },
  };
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statFields(Number(name)) : null;
    if (!fields) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let next = [root]; next.length > 0;) {
    next = next.flatMap((pid) => children.get(pid) ?? []);
    found.push(...next);
  }
  return found;
}

/** Fields of /proc/<pid>/stat after the command name, which may hold spaces. */
function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function cpuTicks(pid: number): number {
  const fields = statFields(pid);
  return fields ? fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) : 0;
}

function proportionalBytes(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
