import { SealError } from '@lethe/vault';
import { capacity, HEADER_BYTES, SEGMENT_BYTES, SegmentOpener, SegmentSealer } from './segments.ts';

/**
 * Seals a whole body under its content key, bound to the message id. Answers its segments (≤ 1 MiB each); together they are
 * the stream. Most bodies are one.
 */
export function sealBody(contentKey: Buffer, messageId: string, body: Buffer): Buffer[] {
  return sealSegments(new SegmentSealer(contentKey, messageId), body);
}

export function sealSegments(sealer: SegmentSealer, body: Buffer): Buffer[] {
  const segments: Buffer[] = [];
  let offset = 0;
  do {
    const end = Math.min(offset + capacity(segments.length), body.length);
    segments.push(sealer.seal(body.subarray(offset, end), end === body.length));
    offset = end;
  } while (offset < body.length);
  return segments;
}

/** As `sealBody`, of a stream; holds one segment at a time. */
export async function* sealStream(
  contentKey: Buffer,
  messageId: string,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const sealer = new SegmentSealer(contentKey, messageId);
  for await (const { bytes, last } of cut(source, capacity)) yield sealer.seal(bytes, last);
}

/** Opens what `sealBody` or `sealStream` made; throws SealError if it is not whole or not this message's. */
export function openBody(contentKey: Buffer, messageId: string, sealed: Buffer): Buffer {
  const opener = new SegmentOpener(contentKey, messageId, sealed.subarray(0, HEADER_BYTES));
  const plaintext: Buffer[] = [];
  let offset = HEADER_BYTES;
  let end = SEGMENT_BYTES;
  do {
    end = Math.min(end, sealed.length);
    plaintext.push(opener.open(sealed.subarray(offset, end), end === sealed.length));
    offset = end;
    end += SEGMENT_BYTES;
  } while (offset < sealed.length);
  return plaintext.length === 1 ? (plaintext[0] as Buffer) : Buffer.concat(plaintext);
}

/** As `openBody`, of a stream. Each part is authentic when it is answered; only the end proves that nothing is missing. */
export async function* openStream(
  contentKey: Buffer,
  messageId: string,
  sealed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let opener: SegmentOpener | undefined;
  for await (const { bytes, last } of cut(sealed, () => SEGMENT_BYTES)) {
    if (opener === undefined) {
      opener = new SegmentOpener(contentKey, messageId, bytes.subarray(0, HEADER_BYTES));
      yield opener.open(bytes.subarray(HEADER_BYTES), last);
    } else {
      yield opener.open(bytes, last);
    }
  }
  if (opener === undefined) throw new SealError('malformed');
}

/** Cuts a stream into pieces of the given sizes; a full piece is only the last one if nothing follows. */
async function* cut(
  source: AsyncIterable<Buffer>,
  sizeOf: (index: number) => number,
): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  let waiting: Buffer[] = [];
  let length = 0;
  let index = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    length += chunk.length;
    while (length > sizeOf(index)) {
      const whole = Buffer.concat(waiting, length);
      const size = sizeOf(index);
      yield { bytes: whole.subarray(0, size), last: false };
      waiting = [whole.subarray(size)];
      length -= size;
      index += 1;
    }
  }
  yield { bytes: Buffer.concat(waiting, length), last: true };
}
