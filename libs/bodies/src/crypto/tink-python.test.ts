import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openBody, sealBody } from './body-seal.ts';
import { SEGMENT_BYTES } from './segments.ts';

/** An interpreter that has `tink` (`pip install tink`); the fixed vectors beside this test need none. */
const python = process.env.LETHE_TINK_PYTHON ?? 'python3';
const script = fileURLToPath(new URL('../../test/tink/tink_streaming.py', import.meta.url));
const available = spawnSync(python, ['-c', 'import tink.streaming_aead'], { stdio: 'ignore' }).status === 0;
if (!available) {
  process.stderr.write('skipped: comparison with Tink for Python (pip install tink, or set LETHE_TINK_PYTHON)\n');
}

const messageId = '0191d0f0-0000-7000-8000-00000000000c';
const tink = (verb: 'seal' | 'open', key: Buffer, input: Buffer): Buffer =>
  execFileSync(python, [script, verb, key.toString('hex'), messageId], { input, maxBuffer: 64 * SEGMENT_BYTES });

describe.skipIf(!available)('Tink for Python', () => {
  it.each([0, 1, 5000, 3 * SEGMENT_BYTES + 17])('opens what we seal and we what it seals: %i bytes', (length) => {
    const key = randomBytes(32);
    const body = randomBytes(length);
    expect(tink('open', key, Buffer.concat(sealBody(key, messageId, body))).equals(body)).toBe(true);
    expect(openBody(key, messageId, tink('seal', key, body)).equals(body)).toBe(true);
  });

  it('refuses what we seal for another message', () => {
    const key = randomBytes(32);
    const sealed = Buffer.concat(sealBody(key, 'another', Buffer.from('text')));
    expect(spawnSync(python, [script, 'open', key.toString('hex'), messageId], { input: sealed }).status).not.toBe(0);
  });
});
