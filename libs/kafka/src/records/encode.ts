import { HEADERS, type Topic } from '@lethe/contracts';
import { NotPublishableError } from '../errors.ts';
import { contractPath } from './contract-path.ts';
import type { EncodedRecord, OutgoingRecord } from './record.ts';

/**
 * Largest value of a record: with key and headers it goes into one produce call. Checked here, so before a record is
 * committed to an outbox, which could never get rid of it.
 */
const MAX_VALUE_BYTES = 500 * 1024;

/** Turns typed records into wire form. Throws `NotPublishableError` naming the field that does not fit, or for the size. */
export function encodeRecords<T extends Topic>(
  topic: T,
  records: readonly OutgoingRecord<T>[],
  source: string,
): EncodedRecord[] {
  return records.map((record) => {
    const { key, partition = topic.partitionOf?.(key), id, type, time = Date.now(), maybeDuplicate } = record;
    return {
      topic: topic.name,
      key,
      ...(partition === undefined ? {} : { partition }),
      value: encodeValue(topic, record.value),
      headers: {
        [HEADERS.specVersion]: '1.0',
        [HEADERS.id]: id,
        [HEADERS.type]: type,
        [HEADERS.source]: source,
        [HEADERS.time]: new Date(time).toISOString(),
        'content-type': 'application/json',
        ...(maybeDuplicate ? { [HEADERS.maybeDuplicate]: '1' } : {}),
      },
    };
  });
}

export function markMaybeDuplicate(record: EncodedRecord): EncodedRecord {
  return { ...record, headers: { ...record.headers, [HEADERS.maybeDuplicate]: '1' } };
}

function encodeValue(topic: Topic, value: unknown): string | null {
  if (value === null) {
    if (topic.cleanup.kind === 'compacted') return null;
    throw new NotPublishableError(`${topic.name} is not compacted: it takes no tombstone`);
  }
  // Measured at ~5 µs a mail event: cheap enough to hold every producer to its contract, always.
  const checked = topic.value.safeParse(value);
  if (checked.success) {
    const text = JSON.stringify(checked.data);
    if (text.length <= MAX_VALUE_BYTES) return text;
    throw new NotPublishableError(`A record for ${topic.name} is larger than ${MAX_VALUE_BYTES} bytes`);
  }
  throw new NotPublishableError(
    `A record for ${topic.name} does not fit its contract at ${contractPath(checked.error)}; repair its producer`,
  );
}
