import { describe, expect, it } from 'vitest';
import { Pace, type Heard } from './pace.policy.ts';

/** A site that takes ten sessions, and a clock that goes on by a second with every word. */
function site(most = 10) {
  const pace = new Pace(most);
  let now = 0;
  const says = (what: Heard, times = 1) => {
    for (let n = 0; n < times; n += 1) {
      now += 1_000;
      pace.heard(what, now - 1, now);
    }
    return pace.allowed;
  };
  return { pace, says, later: (ms: number) => (now += ms), now: () => now };
}

describe('Pace', () => {
  it('halves at once where a server asks for less, down to one', () => {
    const { says } = site();
    expect([1, 2, 3, 4, 5].map(() => says('pushed-back'))).toEqual([5, 2, 1, 1, 1]);
  });

  it('does not take for another word what was said to messages that had begun before', () => {
    const { pace, now, later } = site();
    later(1_000);
    for (let n = 0; n < 10; n += 1) pace.heard('pushed-back', now() - 500, now());
    expect(pace.allowed).toBe(5);
  });

  it('slows down after three losses in a row, and ten deferrals without a message taken', () => {
    const lost = site();
    lost.says('lost', 2);
    expect(lost.says('answered')).toBe(10);
    lost.says('lost', 2);
    expect(lost.says('lost')).toBe(5);
    const deferred = site();
    deferred.says('deferred', 9);
    deferred.says('taken');
    expect(deferred.says('deferred', 9)).toBe(10);
    expect(deferred.says('deferred')).toBe(5);
    // It may be about those it was sent to: some are left.
    expect(deferred.says('deferred', 100)).toBe(3);
    expect(deferred.pace.pausedUntil).toBe(0);
    const rare = site();
    for (let n = 0; n < 20; n += 1) {
      rare.says('deferred');
      rare.later(60_000);
    }
    expect(rare.pace.allowed).toBe(10);
  });

  it('lets it alone for longer and longer, a minute at most, while the first word after a pause is no better', () => {
    const { pace, says, now, later } = site(1);
    const pauses: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      if (n === 0) says('lost', 2);
      says('lost');
      pauses.push(pace.pausedUntil - now());
      later(pause(pauses));
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
    expect(pace.unreachable).toBe(true);
    // Somebody is there again: what comes next is not the first word after a pause.
    says('deferred');
    says('lost', 2);
    expect(pace.pausedUntil).toBeLessThan(now());
    says('taken');
    says('pushed-back');
    expect(pace.pausedUntil - now()).toBe(1_000);
    expect(pace.unreachable).toBe(false);
  });

  it('recovers by one session for each round of messages that it takes', () => {
    const { says, pace } = site(4);
    says('pushed-back', 2);
    expect([1, 2, 3, 4, 5, 6, 7].map(() => says('taken'))).toEqual([2, 2, 3, 3, 3, 4, 4]);
    expect(pace.heard('taken', 0, 0)).toBeUndefined();
  });

  it('is forgotten once it does not matter any more', () => {
    const { says, pace, now } = site();
    expect(pace.forgettable(now())).toBe(true);
    says('pushed-back');
    expect(pace.forgettable(now() + 599_000)).toBe(false);
    expect(pace.forgettable(now() + 601_000)).toBe(true);
  });
});

const pause = (pauses: number[]): number => pauses.at(-1) ?? 0;
