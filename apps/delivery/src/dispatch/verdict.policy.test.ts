import { describe, expect, it } from 'vitest';
import { verdict } from './verdict.policy.ts';

const asked = { ambiguous: false, tls: true, verified: true, host: 'mx.example' };

describe('verdict', () => {
  it('delivered: with the masked reply', () => {
    expect(
      verdict({ ...asked, reply: { code: 250, text: '2.0.0 queued for <jane@x.example>' } }, 'jane@x.example', 1),
    ).toEqual({
      kind: 'delivered',
      answer: {
        code: 250,
        enhancedCode: '2.0.0',
        text: '2.0.0 queued for <recipient>',
        tls: true,
        verified: true,
        sessionSeconds: 1,
        host: 'mx.example',
      },
    });
  });

  it.each([
    [451, '4.7.1 Greylisted, try again', 'temporary', 'greylisted', false],
    [421, '4.3.2 closing', 'temporary', 'generic', false],
    [550, '5.1.1 no such user', 'permanent', 'bounce', true],
    [552, '5.2.2 mailbox is full', 'permanent', 'bounce', false],
  ])('%i %s is %s', (code, text, severity, reason, noSuchMailbox) => {
    expect(verdict({ ...asked, reply: { code, text } }, 'a@x.example', 1)).toMatchObject({
      kind: 'failed',
      severity,
      reason,
      ambiguous: false,
      noSuchMailbox,
    });
  });

  it('a session that broke after the final dot is temporary and ambiguous', () => {
    const refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.2', why: 'connection-lost' } as const;
    expect(verdict({ ...asked, refusal, ambiguous: true }, 'a@x.example', 1)).toMatchObject({
      kind: 'failed',
      severity: 'temporary',
      ambiguous: true,
      answer: { code: 498, enhancedCode: '4.4.2', host: 'mx.example' },
    });
  });

  it.each([
    ['certificate-expired', 'tlsa', 'its certificate has expired or is not valid yet, and its TLSA records require it'],
    ['certificate-host-mismatch', 'sts', 'its certificate is in another name, and the MTA-STS policy'],
    [
      'certificate-not-trusted',
      'own',
      'an authority that is not trusted, and the message, its domain or a route requires it',
    ],
  ] as const)(
    'a certificate that proves nothing (%s) is temporary, and says who asked for more (%s)',
    (fault, policy, text) => {
      const refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.5', why: 'not-authenticated' } as const;
      const outcome = verdict({ ...asked, refusal: { ...refusal, tls: { fault, policy } } }, 'a@x.example', 1);
      expect(outcome).toMatchObject({ severity: 'temporary', noSuchMailbox: false });
      expect(outcome).toMatchObject({ answer: { enhancedCode: '4.7.5', text: expect.stringContaining(text) } });
    },
  );

  it('a greeting that refuses says nothing about the recipient: temporary', () => {
    const refusal = { refused: 'temporary', code: 498, enhancedCode: '4.4.1', why: 'no-connection' } as const;
    const reply = { code: 554, text: '5.7.1 go away' };
    expect(verdict({ ...asked, reply, refusal }, 'a@x.example', 1)).toMatchObject({ severity: 'temporary' });
  });
});
