import { until } from '@lethe/testing';
import { Arrivals, duplicates } from './arrivals.ts';
import { eventsByMessage } from './event-search.ts';
import { bodyOf, MailStream } from './mail-stream.ts';
import { killAndRecover, type OwnPlatform, type Target } from './own-platform.ts';
import { idle } from './pipeline.ts';

export interface KillStreamOptions {
  /** Asked before each kill: what to kill next and how many messages to send around it; null ends the stream. */
  readonly next: () => { target: Target; messages: number } | null;
  readonly senders?: number;
  readonly says?: (line: string) => void;
}

export interface KillStreamResult {
  readonly acknowledged: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Tries that were not acknowledged and arrived nevertheless. */
  readonly unacknowledgedArrivals: number;
  readonly missing: string[];
  readonly wrongBody: string[];
  readonly markedDuplicates: number;
  readonly unmarkedDuplicates: string[];
  /** Message-IDs of acknowledged messages. */
  readonly withoutAccepted: string[];
  readonly withoutDelivered: string[];
  readonly doubledEvents: string[];
}

/** Of one sender from a kill on, so that the stream is still running while the part comes back. */
const PACE_MS = 300;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/**
 * Sends a stream of messages during which one part after another is killed, each once all have recovered from the one
 * before; waits until everything that was accepted is through, and says what became of it.
 */
export async function killStream(own: OwnPlatform, options: KillStreamOptions): Promise<KillStreamResult> {
  const says = options.says ?? ((line: string) => console.log(line));
  const stream = new MailStream(own.platform.gateway, own.demo);
  const arrivals = new Arrivals(own.world);
  const begin = new Date();
  let sent = 0;
  for (let step = options.next(); step !== null; step = options.next()) {
    const { target, messages } = step;
    let killed = false;
    const [refusedBefore, last] = [total(stream.refused), sent + messages];
    const senders = Array.from({ length: options.senders ?? 8 }, async () => {
      while (sent < last) {
        await stream.send((sent += 1));
        if (killed) await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    });
    const taken = stream.acknowledged.length;
    // In the midst of the stream, not before it.
    const flowing = until(() => stream.acknowledged.length >= taken + messages / 4, 60_000, 1);
    const recovery = flowing.then(() => {
      killed = true;
      return killAndRecover(own, target);
    });
    const [recoveredMs] = await Promise.all([recovery, ...senders]);
    const refused = total(stream.refused) - refusedBefore;
    says(`kill -9 ${target}: all ready after ${seconds(recoveredMs)}, ${refused} of ${messages} tries repeated`);
  }
  const drain = performance.now();
  await idle(own, 90_000);
  await arrivals.collect();
  says(`everything was through ${seconds(performance.now() - drain)} after the last message`);
  return judge(own, stream, arrivals, begin);
}

/** What became of everything that was acknowledged, once nothing is under way any more. */
export async function judge(
  own: OwnPlatform,
  stream: MailStream,
  arrivals: Arrivals,
  begin: Date,
): Promise<KillStreamResult> {
  const ids = stream.acknowledged.map(({ messageId }) => messageId);
  let [accepted, delivered] = [new Map<string, number>(), new Map<string, number>()];
  // Searchable within a second of being indexed.
  await until(
    async () => {
      accepted = await eventsByMessage(own, 'accepted', begin);
      delivered = await eventsByMessage(own, 'delivered', begin);
      return ids.every((id) => accepted.has(id) && delivered.has(id));
    },
    15_000,
    500,
  );
  const known = new Set(stream.acknowledged.map(({ to }) => to));
  const { marked, unmarked } = duplicates(arrivals);
  return {
    acknowledged: ids.length,
    refused: Object.fromEntries(stream.refused),
    unacknowledgedArrivals: arrivals.recipients().filter((to) => !known.has(to)).length,
    missing: stream.acknowledged.filter(({ to }) => arrivals.copies(to).length === 0).map(({ number }) => number),
    wrongBody: stream.acknowledged
      .filter(({ to, number }) => arrivals.copies(to).some(({ raw }) => !raw.includes(bodyOf(number))))
      .map(({ number }) => number),
    markedDuplicates: marked,
    unmarkedDuplicates: unmarked,
    withoutAccepted: ids.filter((id) => !accepted.has(id)),
    withoutDelivered: ids.filter((id) => !delivered.has(id)),
    doubledEvents: ids.filter((id) => (accepted.get(id) ?? 0) > 1 || (delivered.get(id) ?? 0) > 1),
  };
}

const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);
