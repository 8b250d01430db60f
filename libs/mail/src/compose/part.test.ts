import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { base64 } from './part.ts';

const LINE = 57;
const BLOCK = 1_024 * LINE;

it.each([0, 1, LINE - 1, LINE, LINE + 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + LINE])(
  'base64 has lines of 76 characters, whatever the size: %i',
  (size) => {
    const content = randomBytes(size);
    const lines = content.toString('base64').match(/.{1,76}/g) ?? [];
    expect(base64(content).toString('latin1')).toBe(lines.join('\r\n'));
  },
);
