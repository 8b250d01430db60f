import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readForm } from './form.parser.ts';

const LIMITS = { maxBytes: 100_000, maxParts: 50 };
const URLENCODED = 'application/x-www-form-urlencoded';

const read = (chunks: (string | Buffer)[], headers: Record<string, string>) =>
  readForm(Readable.from(chunks.map((chunk) => Buffer.from(chunk as string))), headers, LIMITS);

const multipart = (...parts: [headers: string, content: string][]): [string[], Record<string, string>] => [
  [
    ...parts.map(([headers, content]) => `--b\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${content}\r\n`),
    '--b--\r\n',
  ],
  { 'content-type': 'multipart/form-data; boundary=b' },
];

describe('readForm', () => {
  it('keeps repeated fields in order and files with their names', async () => {
    const form = await read(
      ...multipart(
        ['name="to"', 'a@x.example'],
        ['name="to"', 'b@x.example'],
        ['name="attachment"; filename="é.txt"', 'hello'],
      ),
    );
    expect(form.fields.get('to')).toEqual(['a@x.example', 'b@x.example']);
    expect(form.files).toMatchObject([{ field: 'attachment', filename: 'é.txt', content: Buffer.from('hello') }]);
  });

  it('reads urlencoded forms, however they are cut', async () => {
    const body = 'to=a%40x.example&text=%C3%A4+b';
    const expected = new Map([
      ['to', ['a@x.example']],
      ['text', ['ä b']],
    ]);
    expect((await read([body], { 'content-type': URLENCODED })).fields).toEqual(expected);
    expect((await read([body.slice(0, 5), body.slice(5)], { 'content-type': URLENCODED })).fields).toEqual(expected);
  });

  it.each([
    ['nothing said about the form', ['a=b'], {}, 400],
    ['another type', ['{}'], { 'content-type': 'application/json' }, 400],
    ['no boundary', ['x'], { 'content-type': 'multipart/form-data' }, 400],
    ['too large', ['a=', 'x'.repeat(200_000)], { 'content-type': URLENCODED }, 413],
    [
      'too many parts',
      [Array.from({ length: 60 }, (_, n) => `f${n}=x`).join('&')],
      { 'content-type': URLENCODED },
      400,
    ],
    ['cut off', ['--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\nx'], multipart()[1], 400],
  ])('refuses %s', async (_name, chunks, headers, status) => {
    await expect(read(chunks, headers)).rejects.toMatchObject({ status });
  });

  it('has no part whose file name hides a line break: the parser drops it', async () => {
    const form = await read(...multipart([`name="attachment"; filename*=utf-8''a%0D%0AX-Injected%3A%20b`, 'x']));
    expect([form.files, form.fields.get('attachment')]).toEqual([[], undefined]);
  });

  it.each(['before it is read', 'while it is read'])('refuses a request whose client leaves %s', async (when) => {
    const body = new Readable({ read: () => undefined });
    body.push('to=a%40x.');
    const gone = (): void => void body.destroy();
    if (when.startsWith('before')) gone();
    else setImmediate(gone);
    // Left open, it would hold its memory for ever.
    await expect(readForm(body, { 'content-type': URLENCODED }, LIMITS)).rejects.toMatchObject({ status: 400 });
  });
});
