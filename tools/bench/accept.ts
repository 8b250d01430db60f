import type { Sender } from './load.ts';

export interface AcceptOptions {
  readonly count: number;
  readonly concurrency: number;
  readonly bytes: number;
  /** CPU seconds used so far, by process. */
  readonly cpu: () => Record<string, number>;
}

export interface Accepted {
  readonly perSecond: number;
  /** CPU of one message by process, ms. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly totalMs: number;
}

/** How fast messages are taken, whatever becomes of them. */
export async function acceptRate(client: Sender, { count, concurrency, bytes, cpu }: AcceptOptions): Promise<Accepted> {
  const before = cpu();
  const begin = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await client.send(`ok+accept${index}@bench${index % 10}.example`, bytes);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const perSecond = (count * 1_000) / (performance.now() - begin);
  const after = cpu();
  const cpuMs = Object.fromEntries(
    Object.entries(after).map(([name, seconds]) => [name, ((seconds - (before[name] ?? 0)) * 1_000) / count]),
  );
  return { perSecond, cpuMs, totalMs: Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0) };
}

/** One line: the rate, and whose CPU it was. */
export function acceptLine(what: string, { perSecond, cpuMs, totalMs }: Accepted): string {
  const share = ((cpuMs['gateway'] ?? 0) * 100) / totalMs;
  const parts = Object.entries(cpuMs)
    .filter(([, ms]) => ms >= 0.005)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
  return (
    `${what}: accepted ${perSecond.toFixed(0)}/s, ${totalMs.toFixed(2)} ms CPU a message (${parts.join(', ')}), ` +
    `the gateway's share ${share.toFixed(0)} %`
  );
}
