import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  allSealedParts,
  bucketEnd,
  bucketLimit,
  bucketOf,
  bucketStart,
  contractFields,
  EXAMPLES,
  mailEvent,
  RETENTION,
  RETENTION_CHECK_MS,
  SEALED_UNDER,
  TOPICS,
  topicConfig,
  type RetentionClass,
} from './index.ts';

describe('contracts', () => {
  it.each(TOPICS.map((topic) => [topic.name, topic] as const))(
    '%s: every field is marked, none is personal in clear',
    (_, topic) => {
      const found = contractFields(topic.value);
      expect(found.length).toBeGreaterThan(1);
      expect(found.filter((leaf) => !leaf.mark || leaf.mark.kind === 'personal')).toEqual([]);
    },
  );

  it('every leaf of a sealed part is marked, and each part holds something personal', () => {
    expect([...allSealedParts().keys()]).toEqual(Object.keys(SEALED_UNDER));
    for (const part of allSealedParts().values()) {
      const found = contractFields(part);
      expect(found.filter((leaf) => !leaf.mark)).toEqual([]);
      expect(found.some((leaf) => leaf.mark?.kind === 'personal')).toBe(true);
    }
  });

  it('notices an unmarked field', () => {
    expect(contractFields(z.object({ planted: z.string(), more: z.array(z.object({ n: z.number() })) }))).toEqual([
      { path: 'planted', mark: undefined },
      { path: 'more[].n', mark: undefined },
    ]);
  });

  it.each(TOPICS.map((topic) => [topic.name, topic] as const))('%s: its examples fit', (name, topic) => {
    const examples = EXAMPLES[name] ?? [];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(topic.value.parse(example)).toEqual(example);
  });

  it('there is an example per event type', () => {
    const types = mailEvent.options.map((option) => option.shape.type.value);
    expect(EXAMPLES['mail-events']?.map((example) => (example as { type: string }).type)).toEqual(types);
  });

  it('topics forget in time: retention + segment + check interval ≤ limit', () => {
    for (const topic of TOPICS) {
      if (topic.cleanup.kind !== 'time-limited') continue;
      const config = topicConfig(topic);
      const longest = Number(config['retention.ms']) + Number(config['segment.ms']) + RETENTION_CHECK_MS;
      expect(longest).toBeLessThanOrEqual(topic.cleanup.limitMs);
    }
  });
});

describe('retention buckets', () => {
  const classes = Object.keys(RETENTION) as RetentionClass[];
  it.each(classes)('%s: a bucket contains its instants and ends within the limit', (name) => {
    const at = Date.UTC(2026, 10, 25, 23, 59, 59, 999);
    const bucket = bucketOf(name, at);
    expect(bucketStart(bucket)).toBeLessThanOrEqual(at);
    expect(bucketEnd(name, bucket)).toBeGreaterThan(at);
    expect(bucketLimit(name, bucket)).toBe(bucketStart(bucket) + RETENTION[name].limitMs);
  });
  it('names buckets by their start', () => {
    expect(bucketOf('e1', Date.UTC(2026, 10, 25, 9))).toBe('2026112508');
    expect(bucketOf('e30', Date.UTC(2026, 10, 25, 9))).toBe('2026112500');
    expect(() => bucketStart('yesterday')).toThrow(RangeError);
  });
});
