import { expect } from 'vitest';
import { until } from '@lethe/testing';
import { duplicates, messageIdOf, type Arrivals } from './arrivals.ts';
import { kindOf, type Kind } from './destinations.ts';
import { eventsSince, type FoundEvent } from './event-search.ts';
import type { OwnPlatform } from './own-platform.ts';

/** A message that was acknowledged. */
export interface Taken {
  readonly number: string;
  readonly to: readonly string[];
  readonly messageId: string;
}

export interface ManyVerdict {
  /** What may not be, by recipient; every list has to be empty. */
  readonly faults: {
    /** Acknowledged, and nothing says what became of it. */
    readonly lost: string[];
    /** It is said to be delivered, and is not there as it was handed in. */
    readonly notWhole: string[];
    readonly withoutAccepted: string[];
    readonly doubledEvents: string[];
    /** It failed, and neither the destination nor a suppression is the reason. */
    readonly wrongEnd: string[];
    readonly unmarkedDuplicates: string[];
    /** By the world's clock, a final dot more than a second after Kafka's timestamp of the entry. */
    readonly sentAfterSuppression: string[];
    /** A suppression that was acknowledged and is in no entry. */
    readonly withoutEntry: string[];
  };
  readonly counts: Readonly<Record<string, number>>;
  /** Tries that were answered with "not now", by kind of destination. */
  readonly triedAgain: Readonly<Partial<Record<Kind, number>>>;
}

/** What it says, `name` being who gets it. */
export const textOf = (number: string, name: string): string =>
  `This is message number ${number} for ${name}.\r\n${'It goes on for a while.\r\n'.repeat(20)}Here ends number ${number}.`;

interface Known {
  readonly taken: readonly Taken[];
  readonly arrivals: Arrivals;
  readonly begin: Date;
  /** Addresses whose suppression was acknowledged. */
  readonly stopped: readonly string[];
  /** Since when mail to an address is stopped, for whatever reason, epoch ms. */
  readonly since: ReadonlyMap<string, number>;
}

/** In force a second after its record (design §5). */
const IN_FORCE_MS = 1_000;

/** What became of everything that was acknowledged, once nothing is under way any more. */
export async function judgeMany(own: OwnPlatform, known: Known): Promise<ManyVerdict> {
  const { taken, arrivals, begin, since } = known;
  const copies = taken.flatMap(({ number, to, messageId }) =>
    to.map((recipient) => ({ number, recipient, messageId })),
  );
  const accepted = await found(own, { event: 'accepted' }, begin, copies.length);
  const delivered = await found(own, { event: 'delivered' }, begin, 0);
  const failed = await found(own, { event: 'failed', severity: 'permanent' }, begin, 0);
  const again = await found(own, { event: 'failed', severity: 'temporary' }, begin, 0);

  const faults = {
    lost: [] as string[],
    notWhole: [] as string[],
    withoutAccepted: [] as string[],
    doubledEvents: [] as string[],
    wrongEnd: [] as string[],
    unmarkedDuplicates: duplicates(arrivals).unmarked,
    sentAfterSuppression: [] as string[],
    withoutEntry: known.stopped.filter((address) => !since.has(address)),
  };
  const counts = { messages: taken.length, recipients: copies.length, delivered: 0, bounced: 0, suppressed: 0 };
  let [stoppedWaiting, endedTwice, arrivedBefore] = [0, 0, 0];
  for (const { number, recipient, messageId } of copies) {
    const key = keyOf(messageId, recipient);
    const name = `${number} ${recipient}`;
    const [told, ended, refused] = [accepted, delivered, failed].map((events) => events.get(key) ?? []) as Ends;
    if (told.length === 0) faults.withoutAccepted.push(name);
    // What was done and not yet noted as done when a process died is done again, marked, and told of: by an earlier attempt than the
    // one that came through, or by the suppression of meanwhile.
    if (ended.length + refused.length > 1) endedTwice += 1;
    // Where the first attempt comes through, one that is done again is the same event.
    const first = kindOf(recipient) === 'fine' && ended.length > 1;
    if (first || [told, ended, refused].some((events) => new Set(events.map(attemptOf)).size < events.length)) {
      faults.doubledEvents.push(name);
    }
    const stopped = refused.some(isStop);
    const wrong = refused.filter((event) => !(isStop(event) ? since.has(recipient) : isBounce(event)));
    if (wrong.length > 0) faults.wrongEnd.push(`${name}: ${wrong.map(({ reason }) => reason).join(', ')}`);
    if (ended.length > 0) {
      counts.delivered += 1;
      const whole = textOf(number, recipient);
      const there = arrivals.copies(recipient).filter((copy) => messageIdOf(copy) === messageId);
      if (there.length < ended.length || !there.every(({ raw }) => raw.includes(whole))) faults.notWhole.push(name);
    } else if (stopped) {
      counts.suppressed += 1;
      if (again.has(key)) stoppedWaiting += 1;
    } else if (refused.length > 0) counts.bounced += 1;
    else faults.lost.push(name);
  }
  for (const [address, at] of since) {
    for (const { receivedAt } of arrivals.copies(address)) {
      if (receivedAt <= at) arrivedBefore += 1;
      if (receivedAt > at + IN_FORCE_MS) faults.sentAfterSuppression.push(`${address}: ${receivedAt - at} ms`);
    }
  }
  const triedAgain: Partial<Record<Kind, number>> = {};
  for (const [{ recipient }] of again.values() as Iterable<[FoundEvent]>) {
    triedAgain[kindOf(recipient)] = (triedAgain[kindOf(recipient)] ?? 0) + 1;
  }
  const ids = new Set(taken.map(({ messageId }) => messageId));
  const all = arrivals.recipients().flatMap((to) => arrivals.copies(to));
  return {
    faults,
    counts: {
      ...counts,
      lost: faults.lost.length,
      entries: since.size,
      arrivedBeforeSuppression: arrivedBefore,
      stoppedWhileWaiting: stoppedWaiting,
      endedTwice,
      sentAfterSuppression: faults.sentAfterSuppression.length,
      markedDuplicates: duplicates(arrivals).marked,
      unmarkedDuplicates: faults.unmarkedDuplicates.length,
      arrivals: all.length,
      overTls: all.filter(({ tls }) => tls).length,
      ofUnacknowledgedTries: all.filter((copy) => !ids.has(messageIdOf(copy))).length,
    },
    triedAgain,
  };
}

type Ends = [accepted: FoundEvent[], delivered: FoundEvent[], failed: FoundEvent[]];

const attemptOf = (event: FoundEvent): number | undefined => event['delivery-status']?.['attempt-no'];
const isStop = ({ reason = '' }: FoundEvent): boolean => reason.startsWith('suppress-');
const isBounce = ({ reason, recipient }: FoundEvent): boolean => reason === 'bounce' && kindOf(recipient) === '550';

const keyOf = (messageId: string, recipient: string): string => `${messageId} ${recipient}`;

/** Events by message and recipient: at least for `expected` of them, if they come. Searchable within a second of being indexed. */
async function found(
  own: OwnPlatform,
  filter: Readonly<Record<string, string>>,
  begin: Date,
  expected: number,
): Promise<Map<string, FoundEvent[]>> {
  let events = new Map<string, FoundEvent[]>();
  await until(
    async () => {
      events = new Map();
      for await (const event of eventsSince(own, filter, begin)) {
        const key = keyOf(event.message.headers['message-id'] ?? '', event.recipient);
        events.set(key, [...(events.get(key) ?? []), event]);
      }
      return events.size >= expected;
    },
    15_000,
    500,
  );
  return events;
}

/** Every destination did what it is there for, and nothing came of it that may not be. */
export function expectNoFault({ faults, counts, triedAgain }: ManyVerdict): void {
  expect(faults).toEqual(Object.fromEntries(Object.keys(faults).map((name) => [name, []])));
  for (const kind of ['greylist', '421', 'cut', 'mute', 'temperror'] as const) {
    expect(triedAgain[kind], kind).toBeGreaterThan(0);
  }
  for (const name of ['bounced', 'stoppedWhileWaiting', 'arrivedBeforeSuppression', 'markedDuplicates']) {
    expect(counts[name], name).toBeGreaterThan(0);
  }
  // All but those with bad TLS, and what was sent in clear because of it.
  expect(counts['overTls']).toBeGreaterThan(0);
  expect(counts['overTls']).toBeLessThan(counts['arrivals'] ?? 0);
}
