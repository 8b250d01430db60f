import { PassThrough } from 'node:stream';
import type { SMTPServerDataStream } from 'smtp-server';
import { expect, it } from 'vitest';
import { readData } from './data.reader.ts';

const stream = () => new PassThrough() as unknown as SMTPServerDataStream;
const nothing = (): void => undefined;

it('asks for what is beyond its room, and loses nothing', async () => {
  const asked: number[] = [];
  const incoming = stream();
  const read = readData(incoming, { room: 4, maxBytes: 100 }, (octets) => asked.push(octets));
  for (const octet of 'abcdefghij') incoming.write(octet);
  incoming.end('klmnopqrst');
  expect((await read).toString()).toBe('abcdefghijklmnopqrst');
  expect(asked).toEqual([12, 24, 48]);
});

it.each([
  ['too large', 10, nothing, 'larger than 10 octets'],
  [
    'no memory',
    1_000,
    () => {
      throw new Error('no room');
    },
    'no room',
  ],
])('%s: reads on to the end', async (_, maxBytes, more, reason) => {
  const incoming = stream();
  const read = readData(incoming, { room: 4, maxBytes }, more);
  let over = false;
  read.catch(() => (over = true));
  incoming.write('x'.repeat(20));
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  incoming.end('x');
  await expect(read).rejects.toThrow(reason);
});

it('a client that leaves is no fault of ours, whenever it does', async () => {
  const [late, early] = [stream(), stream()];
  const read = readData(late, { room: 4, maxBytes: 10 }, nothing);
  late.write('abc');
  setImmediate(() => late.destroy(new Error('gone')));
  await expect(read).rejects.toMatchObject({ responseCode: 451 });
  early.destroy();
  await expect(readData(early, { room: 4, maxBytes: 10 }, nothing)).rejects.toMatchObject({ responseCode: 451 });
});
