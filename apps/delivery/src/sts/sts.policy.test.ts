import { describe, expect, it } from 'vitest';
import { names, parsePolicy, policyId } from './sts.policy.ts';

describe('the record that says there is a policy', () => {
  it.each([
    [['v=STSv1; id=20260131T1;'], '20260131T1'],
    [['v=STSv1;id=a'], 'a'],
    [['other', 'v=STSv1 ; x=1; id=Z9; y=2', 'v=spf1 -all'], 'Z9'],
    [['v=STSv1; id=1', 'v=STSv1; id=2'], undefined],
    [['v=STSv1; id=with-dash'], undefined],
    [['v=STSv1; id=' + 'x'.repeat(33)], undefined],
    [['v=STSv1'], undefined],
    [['v=STSv10; id=1'], undefined],
    [[' v=STSv1; id=1'], undefined],
    [['id=1; v=STSv1'], undefined],
    [[], undefined],
  ])('%j: %s', (records, id) => {
    expect(policyId(records)).toBe(id);
  });
});

describe('a policy', () => {
  const whole = 'version: STSv1\r\nmode: enforce\r\nmx: mx1.Example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n';

  it('is read, whatever ends its lines', () => {
    const policy = { mode: 'enforce', mx: ['mx1.example.com', '*.example.net'], maxAgeSeconds: 604_800 };
    expect(parsePolicy(whole)).toEqual(policy);
    expect(parsePolicy(whole.replaceAll('\r', '').trimEnd())).toEqual(policy);
    expect(parsePolicy(`new_field: x\n${whole}mode: none\nversion: STSv2\n`)).toEqual(policy);
  });

  it('needs no exchangers where it asks for nothing', () => {
    expect(parsePolicy('version: STSv1\nmode: none\nmax_age: 60')).toEqual({ mode: 'none', mx: [], maxAgeSeconds: 60 });
  });

  it('lives no longer than a year', () => {
    expect(parsePolicy(whole.replace('604800', '9999999999'))?.maxAgeSeconds).toBe(31_557_600);
  });

  it.each([
    ['version: STSv1', 'version: STSv2'],
    ['version: STSv1', ''],
    ['mode: enforce', 'mode: Enforce'],
    ['mode: enforce', ''],
    ['max_age: 604800', 'max_age: -1'],
    ['max_age: 604800', 'max_age: 1e9'],
    ['max_age: 604800', ''],
    ['mx: *.example.net', 'mx: *.*.net'],
    ['mx: *.example.net', 'mx: a.*.net'],
    ['mx: *.example.net', 'mx: '],
    [/mx: .*\r\n/g, ''],
    ['mx: *.example.net', 'mx: a.example\n'.repeat(101)],
  ])('is none if %s is %j', (part, other) => {
    expect(parsePolicy(whole.replace(part, other))).toBeUndefined();
  });

  it.each([
    ['mx.example.com', true],
    ['MX.Example.COM.', true],
    ['a.pool.example.net', true],
    ['pool.example.net', false],
    ['a.b.pool.example.net', false],
    ['example.com', false],
    ['mx.example.com.evil.test', false],
    ['net', false],
  ])('names %s: %s', (host, named) => {
    expect(names({ mx: ['mx.example.com', '*.pool.example.net'] }, host)).toBe(named);
  });
});
