import { describe, expect, it } from 'vitest';
import type { Form } from '../form/form.parser.ts';
import { fingerprintOf } from './request.fingerprint.ts';

const file = { field: 'attachment', filename: 'a.txt', contentType: 'text/plain', content: Buffer.from('abc') };
const form = (fields: [string, string[]][], files = [file]): Form => ({ fields: new Map(fields), files });
const one = fingerprintOf(
  'messages',
  form([
    ['to', ['a@b.example', 'c@d.example']],
    ['text', ['x']],
  ]),
);

describe('the fingerprint of a request', () => {
  it('is the same in whatever order the fields come', () => {
    const same = form([
      ['text', ['x']],
      ['to', ['a@b.example', 'c@d.example']],
    ]);
    expect(fingerprintOf('messages', same)).toBe(one);
  });

  it.each<[string, string, Form]>([
    ['another door', 'messages.mime', form([['to', ['a@b.example', 'c@d.example']], ['text', ['x']]])], // prettier-ignore
    ['another order of values', 'messages', form([['to', ['c@d.example', 'a@b.example']], ['text', ['x']]])], // prettier-ignore
    ['a value that is divided elsewhere', 'messages', form([['to', ['a@b.examplec', '@d.example']], ['text', ['x']]])], // prettier-ignore
    ['a name that takes from its value', 'messages', form([['to', ['a@b.example', 'c@d.example']], ['tex', ['tx']]])], // prettier-ignore
    ['another file', 'messages', form([['to', ['a@b.example', 'c@d.example']], ['text', ['x']]], [{ ...file, content: Buffer.from('abd') }])], // prettier-ignore
    ['a file of another name', 'messages', form([['to', ['a@b.example', 'c@d.example']], ['text', ['x']]], [{ ...file, filename: 'b.txt' }])], // prettier-ignore
    ['no file', 'messages', form([['to', ['a@b.example', 'c@d.example']], ['text', ['x']]], [])], // prettier-ignore
  ])('differs for %s', (_, door, other) => {
    expect(fingerprintOf(door, other)).not.toBe(one);
  });
});
