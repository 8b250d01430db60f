import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openBody, openStream, sealBody, sealSegments, sealStream } from './body-seal.ts';
import { capacity, SEGMENT_BYTES, SegmentSealer } from './segments.ts';
import vectors from '../../test/tink/vectors.json' with { type: 'json' };

const key = randomBytes(32);
const messageId = '0191d0f0-0000-7000-8000-00000000000a';

/** As in test/tink/tink_streaming.py. */
const pattern = (length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i += 1) bytes[i] = 31 * i + 7 * (i >> 8);
  return bytes;
};

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    yield await Promise.resolve(bytes.subarray(offset, offset + size));
  }
}

async function whole(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

describe('what Tink made', () => {
  it.each(vectors)('$length bytes: sealed to the same bytes under the same header', (vector) => {
    const sealer = new SegmentSealer(
      Buffer.from(vector.key, 'hex'),
      vector.associatedData,
      Buffer.from(vector.header, 'hex'),
    );
    const sealed = Buffer.concat(sealSegments(sealer, pattern(vector.length)));
    expect(sealed).toHaveLength(vector.ciphertextBytes);
    expect(createHash('sha256').update(sealed).digest('hex')).toBe(vector.ciphertextSha256);
    expect(openBody(Buffer.from(vector.key, 'hex'), vector.associatedData, sealed).equals(pattern(vector.length))).toBe(
      true,
    );
  });

  it.each(vectors.filter(({ ciphertext }) => ciphertext))('$length bytes: opened', async (vector) => {
    const sealed = Buffer.from(vector.ciphertext ?? '', 'hex');
    const contentKey = Buffer.from(vector.key, 'hex');
    expect(openBody(contentKey, vector.associatedData, sealed)).toEqual(pattern(vector.length));
    expect(await whole(openStream(contentKey, vector.associatedData, inPieces(sealed, 7)))).toEqual(
      pattern(vector.length),
    );
  });
});

describe('streams', () => {
  it.each([0, 1, capacity(0) - 1, capacity(0), capacity(0) + 1, capacity(0) + capacity(1), 3 * SEGMENT_BYTES])(
    '%i bytes are the same in and out, whole or streamed, at any cut',
    async (length) => {
      const body = pattern(length);
      const streamed = await whole(sealStream(key, messageId, inPieces(body, 300_007)));
      expect(openBody(key, messageId, streamed).equals(body)).toBe(true);
      const sealed = Buffer.concat(sealBody(key, messageId, body));
      expect(sealed).toHaveLength(streamed.length);
      expect((await whole(openStream(key, messageId, inPieces(sealed, 65_536)))).equals(body)).toBe(true);
    },
  );
});

describe('what is not this body is refused', () => {
  const body = pattern(2 * SEGMENT_BYTES);
  const segments = sealBody(key, messageId, body);
  const sealed = Buffer.concat(segments);
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(sealed);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const [first, second, third] = segments as [Buffer, Buffer, Buffer];

  it.each([
    ['another message', () => openBody(key, '0191d0f0-0000-7000-8000-00000000000b', sealed)],
    ['another key', () => openBody(randomBytes(32), messageId, sealed)],
    ['a changed salt', () => openBody(key, messageId, changed(5))],
    ['a changed nonce prefix', () => openBody(key, messageId, changed(36))],
    ['a changed header length', () => openBody(key, messageId, changed(0))],
    ['a changed byte', () => openBody(key, messageId, changed(SEGMENT_BYTES + 9))],
    ['a changed tag', () => openBody(key, messageId, changed(sealed.length - 1))],
    ['the last segment missing', () => openBody(key, messageId, Buffer.concat([first, second]))],
    ['segments swapped', () => openBody(key, messageId, Buffer.concat([first, third, second]))],
    ['a byte more', () => openBody(key, messageId, Buffer.concat([sealed, Buffer.of(0)]))],
    ['nothing', () => openBody(key, messageId, Buffer.alloc(0))],
    ['a header alone', () => openBody(key, messageId, sealed.subarray(0, 40))],
  ])('%s', async (_, open) => {
    expect(open).toThrow(expect.objectContaining({ name: 'SealError' }));
  });

  it('a stream cut off', async () => {
    await expect(whole(openStream(key, messageId, inPieces(sealed.subarray(0, SEGMENT_BYTES), 4096)))).rejects.toThrow(
      'altered',
    );
    await expect(whole(openStream(key, messageId, inPieces(Buffer.alloc(0), 1)))).rejects.toThrow('form');
  });
});
