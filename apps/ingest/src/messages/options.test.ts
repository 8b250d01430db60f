import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

const form = (fields: Record<string, string | string[]>) => ({
  files: [],
  fields: new Map(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? [value] : value])),
});

describe('options', () => {
  it('reads tags, switches, headers and variables', () => {
    expect(
      readOptions(
        form({
          'o:tag': ['Welcome', 'welcome', 'x'],
          'o:testmode': 'True',
          'o:dkim': 'no',
          'o:require-tls': '1',
          'o:skip-verification': 'no',
          'h:X-A': ['1', '2'],
          'v:order': '42',
          'v:data': '{"a":[1]}',
          'v:odd': '{not json',
          'o:tracking': 'htmlonly',
          to: 'ignored@x.example',
        }),
      ),
    ).toEqual({
      tags: ['welcome', 'x'],
      testMode: true,
      dkim: false,
      requireTls: true,
      unsubscribe: true,
      skipVerification: false,
      headers: [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
      variables: { order: '42', data: { a: [1] }, odd: '{not json' },
    });
  });

  it('keeps a variable whatever it is called', () => {
    const { variables } = readOptions(
      form(JSON.parse('{"v:__proto__": "{\\"a\\":1}", "v:constructor": "c"}') as never),
    );
    expect(JSON.stringify(variables)).toBe('{"__proto__":{"a":1},"constructor":"c"}');
    expect(Object.getPrototypeOf(variables)).toBe(Object.prototype);
  });

  it('absent means default: signed, sent for real, TLS as it comes', () => {
    expect(readOptions(form({}))).toMatchObject({ testMode: false, dkim: true, requireTls: false, tags: [] });
    expect(readOptions(form({}))).not.toHaveProperty('unsubscribe');
    expect(readOptions(form({ 'o:tracking': 'no' }))).toMatchObject({ unsubscribe: false });
    // As the domain says, which a message may overrule either way.
    expect(readOptions(form({}))).not.toHaveProperty('skipVerification');
  });

  it.each(['Wed, 4 Nov 2026 09:00:00 +0100', 'Wed, 04 Nov 2026 08:00:00 GMT', '1793779200', '1793779200.0'])(
    'knows the time of %s',
    (time) => {
      expect(readOptions(form({ 'o:deliverytime': time })).deliverAt).toBe(Date.UTC(2026, 10, 4, 8));
    },
  );

  it('takes what chooses a time by itself, and leaves it be', () => {
    const fields = {
      'o:deliver-within': '5m',
      'o:deliverytime-optimize-period': '24h',
      'o:time-zone-localize': '09:00',
    };
    expect(readOptions(form(fields))).not.toHaveProperty('deliverAt');
  });

  it('an empty option of what is not built yet is absent, as SDKs send it', () => {
    expect(() => readOptions(form({ template: '', 'o:deliverytime': '' }))).not.toThrow();
  });

  it.each([
    ['o:testmode', 'perhaps'],
    ['o:tag', 'ümlaut'],
    ['o:tag', 'x'.repeat(129)],
    ['o:tag', 'ana@example.net'],
    ['o:tag', Array.from({ length: 11 }, (_, n) => `t${n}`)],
    ['v:ana@example.net', '1'],
    ['v:', '1'],
    ['o:unheard', '1'],
    ['template', 'welcome'],
    ['o:deliverytime', 'tomorrow'],
    ['o:deliverytime', '2026-11-25T09:00:00Z'],
    ['o:deliverytime', 'Wed, 31 Nov 2026 09:00:00 +0000'],
    ['o:deliverytime', 'Wed, 25 Nov 2026 09:00:00 CEST'],
    ['o:deliverytime', '-1'],
    ['v:big', 'x'.repeat(17_000)],
  ])('refuses %s = %s with a 400 that quotes no value', (name, value) => {
    expect(() => readOptions(form({ [name]: value }))).toThrow(
      expect.objectContaining({ status: 400, message: expect.not.stringContaining('ana@') }),
    );
  });

  it('takes linear time', () => {
    const begin = performance.now();
    expect(() => readOptions(form({ 'o:tag': 'a@'.repeat(50_000) }))).toThrow();
    expect(performance.now() - begin).toBeLessThan(500);
  });
});
