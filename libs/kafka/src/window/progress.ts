import { decodeBitmap, encodeBitmap } from './bitmap.ts';

/** What is durable about a partition: a commit's offset and metadata. */
export interface Progress {
  /** Everything below is durable. */
  offset: number;
  /** Only records below may have been handed out; those of them that are not done may have been in flight. */
  dispatchedUpTo: number;
  /** Offsets at or above `offset` that are durable. */
  done: readonly number[];
  /** Which consumer instance wrote it: one that finds its own mark knows nobody else had the partition. */
  writer: string;
}

const FORMAT = /^1;([\w-]{1,32});(\d{1,15});([\w-]*)$/;

/** Version, writer, distance to `dispatchedUpTo`, bitmap. ≤ 740 bytes for the largest window; Kafka takes 4,096. */
export function encodeProgress({ offset, dispatchedUpTo, done, writer }: Progress): string {
  const bitmap = encodeBitmap(done.map((each) => each - offset));
  return `1;${writer};${Math.max(0, dispatchedUpTo - offset)};${bitmap}`;
}

/** Metadata that is not ours (an operator reset the offsets) means: start at `offset`, nothing was handed out. */
export function decodeProgress(offset: number, metadata: string | null | undefined): Progress {
  const match = FORMAT.exec(metadata ?? '');
  if (!match) return { offset, dispatchedUpTo: offset, done: [], writer: '' };
  const [, writer = '', distance = '0', bitmap = ''] = match;
  return {
    offset,
    dispatchedUpTo: offset + Number(distance),
    done: decodeBitmap(bitmap).map((bit) => offset + bit),
    writer,
  };
}
