import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { partitionOfMoment } from './moment.ts';

/** RFC 9562 §5.7: its first 48 bits are the time. */
const idAt = (ms: number): string => {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
};

describe('the partition of a moment', () => {
  it('is one for all that belongs to a message, and for messages of the same moment', () => {
    const from = 1_790_000_000_000 - (1_790_000_000_000 % 256);
    const found = new Set([0, 100, 255].map((ms) => partitionOfMoment(idAt(from + ms), 8)));
    expect(found.size).toBe(1);
    expect(found.has(partitionOfMoment(idAt(from + 256), 8))).toBe(false);
  });

  it('takes turns: within two seconds each partition has had its share', () => {
    const counts = new Map<number, number>();
    for (let ms = 0; ms < 2_048; ms += 1) {
      const partition = partitionOfMoment(idAt(1_790_000_000_000 + ms), 8);
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    expect([...counts].toSorted(([a], [b]) => a - b)).toEqual(
      Array.from({ length: 8 }, (_, partition) => [partition, 256]),
    );
  });

  it('is some partition for any other key', () => {
    for (const key of ['', 'no uuid', randomUUID()]) {
      expect([0, 1, 2, 3, 4, 5, 6, 7]).toContain(partitionOfMoment(key, 8));
    }
  });
});
