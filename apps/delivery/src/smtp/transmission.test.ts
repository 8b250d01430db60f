import { describe, expect, it } from 'vitest';
import { dataBlock } from './transmission.ts';

const stuffed = (...parts: string[]): string => dataBlock(parts.map((part) => Buffer.from(part))).bytes.toString();

describe('dataBlock', () => {
  it('ends a message with the final dot', () => {
    expect(stuffed('a: b\r\n\r\nhello\r\n')).toBe('a: b\r\n\r\nhello\r\n.\r\n');
    expect(stuffed('a: b\r\n\r\nhello')).toBe('a: b\r\n\r\nhello\r\n.\r\n');
  });

  it('doubles every leading dot and no other', () => {
    expect(stuffed('a: b\r\n\r\n.\r\n..\r\n.x.y\r\nz.\r\n')).toBe('a: b\r\n\r\n..\r\n...\r\n..x.y\r\nz.\r\n.\r\n');
    expect(stuffed('.a: b\r\n')).toBe('..a: b\r\n.\r\n');
  });

  it('does the same to a message made of dots', () => {
    const message = `..\r\n${'.\r\n'.repeat(12_000)}x.\r.\n.\r\n..end`;
    expect(stuffed(message)).toBe(`${message.replaceAll(/(^|\r\n)\./g, '$1..')}\r\n.\r\n`);
  });

  it('finds a leading dot across parts', () => {
    expect(stuffed('a: b\r\n\r\nx\r\n', '.y\r\n')).toBe('a: b\r\n\r\nx\r\n..y\r\n.\r\n');
  });

  it('tells size and whether octets over 127 occur', () => {
    expect(dataBlock([Buffer.from('a: b\r\n\r\n.\r\n')])).toMatchObject({ size: 11, eightBit: false });
    expect(dataBlock([Buffer.from('a: b\r\n\r\ngrüß\r\n')])).toMatchObject({ eightBit: true });
  });
});
