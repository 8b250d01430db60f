import { describe, expect, it } from 'vitest';
import { assertMergeable, each, readRecipientVariables } from './recipient.variables.ts';

const form = (value?: string) => ({
  fields: new Map(value === undefined ? [] : [['recipient-variables', [value]]]),
  files: [],
});
const bob = { address: 'Bob@B.example', normalForm: 'bob@b.example' };

describe('recipient-variables', () => {
  it.each([undefined, '', ' '])('without them recipients share a message: %j', (value) => {
    expect(readRecipientVariables(form(value))).toBeUndefined();
  });

  it('are found by address, however it is written, and may be empty', () => {
    const variables = readRecipientVariables(form('{"BOB@b.Example": {"a": 1}}'))!;
    const eve = { address: 'eve@e.example', name: 'Eve', normalForm: 'eve@e.example' };
    expect(each([bob, eve], variables)).toEqual([
      { ...bob, role: 'each', variables: { a: 1 } },
      { ...eve, role: 'each', variables: {} },
    ]);
    expect(each([bob], readRecipientVariables(form('{}'))!)).toEqual([{ ...bob, role: 'each', variables: {} }]);
  });

  it.each([
    ['{', 'must be a JSON object'],
    ['[]', 'must be a JSON object'],
    ['{"nobody": {}}', 'has a key that is not an address'],
    ['{"a@b.example": "x"}', 'has a value that is not a JSON object'],
    ['{"a@b.example": null}', 'has a value that is not a JSON object'],
    [`{"a@b.example": {"x": "${'x'.repeat(4 * 1024 * 1024)}"}}`, 'is larger than'],
  ])('%.40s is a 400 that names the field and quotes nothing', (value, why) => {
    expect(() => readRecipientVariables(form(value))).toThrow(
      expect.objectContaining({
        status: 400,
        message: expect.stringMatching(new RegExp(`^'recipient-variables' ${why}`)),
      }),
    );
  });

  it('may not make a message much larger', () => {
    const raw = Buffer.from(`Subject: x\r\n\r\n${'%recipient.a%\r\n'.repeat(300)}`);
    const own = (a: string) => each([bob], new Map([['bob@b.example', { a }]]));
    expect(() => assertMergeable(raw, own('x'.repeat(800)))).not.toThrow();
    expect(() => assertMergeable(raw, own('x'.repeat(1_000)))).toThrow(/more than 262144 octets larger/);
  });
});
