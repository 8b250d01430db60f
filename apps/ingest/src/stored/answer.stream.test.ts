import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { jsonPieces } from './answer.stream.ts';

it.each([
  ['nothing', {}],
  ['what is no text', { a: [['x', 'y']], b: { c: 1 }, d: null }],
  ['texts to escape', { 'body-plain': '"\\\r\n\u0001€😀', '': '' }],
  ['a text of many pieces', { a: 'x'.repeat(200_000), b: '\u0001'.repeat(70_000) }],
  ['a pair that is cut', { a: `${'x'.repeat(64 * 1_024 - 1)}😀y` }],
])('writes %s as JSON', async (_, value) => {
  expect(JSON.parse(await text(jsonPieces(value)))).toEqual(value);
});

it('holds no piece that is large', async () => {
  let pieces = 0;
  for await (const piece of jsonPieces({ a: '\u0001'.repeat(1_000_000) })) {
    expect((piece as string).length).toBeLessThan(400_000);
    pieces += 1;
  }
  expect(pieces).toBeGreaterThan(10);
});
