import { describe, expect, it } from 'vitest';
import { decodeProgress, encodeProgress, type Progress } from './progress.ts';
import { PartitionWindow, type Slot } from './partition-window.ts';

type Window = PartitionWindow<string>;

const open = (restored: Progress | null, claims = false, limits = { span: 4_096, bytes: 1_000_000 }): Window =>
  new PartitionWindow(restored, 'me', claims, limits);
const at = (offset: number): Progress => ({ offset, dispatchedUpTo: offset, done: [], writer: 'me' });
const fill = (window: Window, from: number, to: number) => {
  for (let offset = from; offset < to; offset += 1) window.offer(offset, 10, `r${offset}`);
};
const takeAll = (window: Window) => {
  const slots: Slot<string>[] = [];
  for (let slot = window.take(); slot; slot = window.take()) slots.push(slot);
  return slots;
};
const finish = (window: Window, slots: Slot<string>[], ...offsets: number[]) => {
  for (const slot of slots) if (offsets.includes(slot.offset)) window.complete(slot);
};
/** What another process would restore from this window's commit. */
const handOver = (window: Window, claims = true): Window => {
  const snapshot = window.snapshot();
  return open(decodeProgress(snapshot.offset, encodeProgress(snapshot)), claims);
};

describe('the offset', () => {
  it('is everything below the oldest unfinished record, whatever the order of finishing', () => {
    const window = open(at(10));
    fill(window, 10, 15);
    const slots = takeAll(window);
    finish(window, slots, 12, 11);
    expect(window.snapshot()).toMatchObject({ offset: 10, done: [11, 12] });
    finish(window, slots, 10);
    expect(window.snapshot()).toMatchObject({ offset: 13, done: [] });
    finish(window, slots, 13, 14);
    expect(window.snapshot()).toMatchObject({ offset: 15, done: [], dispatchedUpTo: 15 });
    expect(window.size).toBe(0);
  });

  it('counts holes of a compacted log as done', () => {
    const window = open(at(0));
    fill(window, 5, 6);
    fill(window, 900, 901);
    const slots = takeAll(window);
    finish(window, slots, 5);
    expect(window.snapshot().offset).toBe(900);
    finish(window, slots, 900);
    expect(window.snapshot().offset).toBe(901);
  });

  it('starts at the first record where the group never committed', () => {
    const window = open(null);
    fill(window, 500, 502);
    expect(window.snapshot()).toMatchObject({ offset: 500 });
    finish(window, takeAll(window), 500);
    expect(window.snapshot()).toMatchObject({ offset: 501 });
  });
});

describe('a rejoin', () => {
  it('fetches again from the committed offset: what is held or done is not taken twice', () => {
    const window = open(at(0));
    fill(window, 0, 10);
    const slots = takeAll(window);
    finish(window, slots, 3, 4);
    expect([0, 3, 9].map((offset) => window.offer(offset, 10, 'again'))).toEqual(['known', 'known', 'known']);
    expect(window.offer(10, 10, 'new')).toBe('queued');
    expect(takeAll(window).map(({ offset }) => offset)).toEqual([10]);
  });

  it('completing twice changes nothing', () => {
    const window = open(at(0));
    fill(window, 0, 2);
    const slots = takeAll(window);
    finish(window, slots, 0);
    finish(window, slots, 0);
    expect(window.size).toBe(1);
    expect(window.snapshot().offset).toBe(1);
  });
});

describe('the next holder', () => {
  it('gets neither what is done above the offset, nor unmarked what may have been in flight', () => {
    const window = open(at(0), true);
    fill(window, 0, 10);
    for (let count = 0; count < 6; count += 1) window.claim();
    window.confirm(window.snapshot());
    const slots = takeAll(window);
    expect(slots.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
    finish(window, slots, 0, 1, 3, 5);

    const next = handOver(window);
    fill(next, 2, 10);
    for (let count = 0; count < 10; count += 1) next.claim();
    next.confirm(next.snapshot());
    expect(takeAll(next).map(({ offset, maybeDuplicate }) => [offset, maybeDuplicate])).toEqual([
      [2, true],
      [4, true],
      [6, false],
      [7, false],
      [8, false],
      [9, false],
    ]);
  });

  it('may hand out again at once what was claimed already', () => {
    const window = open(at(0), true);
    fill(window, 0, 3);
    window.claim();
    const next = handOver(window);
    fill(next, 0, 3);
    expect(takeAll(next).map(({ offset, maybeDuplicate }) => [offset, maybeDuplicate])).toEqual([[0, true]]);
  });

  it('keeps what it has not fetched yet in its own commits', () => {
    const window = open({ offset: 10, dispatchedUpTo: 17, done: [12, 15], writer: 'other' }, true);
    fill(window, 10, 12);
    expect(window.snapshot()).toMatchObject({ offset: 10, dispatchedUpTo: 17, done: [12, 15] });
    finish(window, takeAll(window), 10, 11);
    expect(window.snapshot()).toMatchObject({ offset: 12, dispatchedUpTo: 17, done: [12, 15] });
    fill(window, 12, 14);
    // 12 was done; 13 is unfinished and holds the offset.
    expect(window.snapshot()).toMatchObject({ offset: 13, done: [15] });
    fill(window, 14, 20);
    finish(window, takeAll(window), 13, 14, 16);
    expect(window.snapshot()).toMatchObject({ offset: 17, dispatchedUpTo: 17, done: [] });
  });
});

describe('claims', () => {
  it('hands out nothing before the commit that says so is confirmed', () => {
    const window = open(at(0), true);
    fill(window, 0, 3);
    expect(window.take()).toBeUndefined();
    window.claim();
    window.claim();
    const snapshot = window.snapshot();
    expect(snapshot.dispatchedUpTo).toBe(2);
    window.claim();
    expect(window.take()).toBeUndefined();
    window.confirm(snapshot);
    expect(window.dirty).toBe(true);
    expect(takeAll(window).map(({ offset }) => offset)).toEqual([0, 1]);
    expect(window.claimedAhead).toBe(1);
    expect(window.claim()).toBe(false);
  });

  it('given up at a stop, mark nothing falsely', () => {
    const window = open(at(0), true);
    fill(window, 0, 5);
    for (let count = 0; count < 5; count += 1) window.claim();
    window.confirm(window.snapshot());
    const first = window.take() as Slot<string>;
    window.releaseClaims();
    window.complete(first);
    const next = handOver(window);
    fill(next, 1, 5);
    for (let count = 0; count < 5; count += 1) next.claim();
    next.confirm(next.snapshot());
    expect(takeAll(next).some(({ maybeDuplicate }) => maybeDuplicate)).toBe(false);
  });
});

describe('bounds', () => {
  it('refuses what lies too far above the oldest unfinished record, and takes it later', () => {
    const window = open(at(0), false, { span: 8, bytes: 1_000 });
    fill(window, 0, 8);
    expect(window.offer(8, 10, 'r8')).toBe('full');
    expect(window.high).toBe(true);
    const slots = takeAll(window);
    finish(window, slots, 1, 2, 3, 4, 5, 6, 7);
    expect(window.offer(8, 10, 'r8')).toBe('full');
    finish(window, slots, 0);
    expect(window.low).toBe(true);
    expect(window.offer(8, 10, 'r8')).toBe('queued');
  });

  it('bounds bytes, but takes one record of any size', () => {
    const window = open(at(0), false, { span: 100, bytes: 1_000 });
    expect(window.offer(0, 5_000, 'large')).toBe('queued');
    expect(window.offer(1, 1, 'small')).toBe('full');
    finish(window, takeAll(window), 0);
    expect(window.offer(1, 1, 'small')).toBe('queued');
  });

  it('the largest window fits into 1 KiB of metadata', () => {
    const done = Array.from({ length: 4_095 }, (_, index) => 1_000_001 + index);
    const text = encodeProgress({ offset: 1_000_000, dispatchedUpTo: 1_004_096, done, writer: 'w'.repeat(12) });
    expect(text.length).toBeLessThanOrEqual(1_024);
    expect(decodeProgress(1_000_000, text)).toMatchObject({ dispatchedUpTo: 1_004_096, done });
  });

  it('survives long runs with its memory trimmed', () => {
    const window = open(at(0));
    let held: Slot<string>[] = [];
    for (let offset = 0; offset < 20_000; offset += 1) {
      window.offer(offset, 10, 'r');
      held.push(window.take() as Slot<string>);
      if (held.length === 7) {
        for (const slot of held.toReversed()) window.complete(slot);
        held = [];
      }
    }
    for (const slot of held) window.complete(slot);
    expect(window.snapshot()).toMatchObject({ offset: 20_000, done: [] });
  });
});

describe('metadata', () => {
  it.each([null, '', 'reset by hand', '2;x;1;', '1;x;-4;', '1;x'])('%j means: start at the offset', (metadata) => {
    expect(decodeProgress(7, metadata)).toEqual({ offset: 7, dispatchedUpTo: 7, done: [], writer: '' });
  });

  it('random windows come back as they were', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round += 1) {
      const offset = random(1_000_000_000);
      const done = Array.from({ length: 300 }, (_, index) => offset + 1 + index).filter(() => random(3) === 0);
      const progress = { offset, dispatchedUpTo: offset + 301 + random(50), done, writer: 'abc-_9' };
      expect(decodeProgress(offset, encodeProgress(progress))).toEqual(progress);
    }
  });
});
