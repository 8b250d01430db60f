import { describe, expect, it } from 'vitest';
import { readRecipientMailboxes, withoutRepeats } from './recipients.ts';

const read = (fields: Record<string, string[]>) =>
  withoutRepeats(readRecipientMailboxes({ files: [], fields: new Map(Object.entries(fields)) }));

describe('recipients', () => {
  it('takes lists, repeated fields and names; each person once, in the first role', () => {
    expect(
      read({
        bcc: ['Carl@x.example', 'dora@x.example'],
        cc: ['carl@X.example'],
        to: ['"Last, First" <ana@x.example>, ben@x.example', 'ANA@x.example'],
      }).map(({ role, normalForm, name }) => [role, normalForm, name]),
    ).toEqual([
      ['to', 'ana@x.example', 'Last, First'],
      ['to', 'ben@x.example', undefined],
      ['cc', 'carl@x.example', undefined],
      ['bcc', 'dora@x.example', undefined],
    ]);
  });

  it('takes 1,000 in all, and not one more', () => {
    const list = (count: number, name: string) => [
      Array.from({ length: count }, (_, n) => `${name}${n}@x.example`).join(','),
    ];
    expect(read({ to: list(600, 'a'), bcc: list(400, 'b') })).toHaveLength(1_000);
    expect(() => read({ to: list(600, 'a'), bcc: list(401, 'b') })).toThrow(expect.objectContaining({ status: 400 }));
  });

  it.each([[{}], [{ to: [''] }], [{ to: ['nobody'] }], [{ to: ['a@x.example'], cc: ['b@'] }]])(
    'refuses %j',
    (fields) => {
      expect(() => read(fields as Record<string, string[]>)).toThrow(expect.objectContaining({ status: 400 }));
    },
  );
});
