import { describe, expect, it } from 'vitest';
import { classifyReply, enhancedCode } from './classify.ts';
import { maskAddresses } from './mask.ts';

describe('classifyReply', () => {
  it.each([
    [550, '5.1.1 no such mailbox', 'permanent', 'bounce', true],
    [550, 'User unknown', 'permanent', 'bounce', true],
    [556, '5.1.10 null MX', 'permanent', 'bounce', true],
    [552, '5.2.2 mailbox is full', 'permanent', 'bounce', false],
    [550, '5.7.1 blocked as spam', 'permanent', 'espblock', false],
    [554, '5.7.1 listed in the Spamhaus blocklist', 'permanent', 'blacklisted', false],
    [550, '5.7.1 relaying denied', 'permanent', 'bounce', false],
    [554, 'Transaction failed', 'permanent', 'bounce', false],
    [451, '4.7.1 Greylisted, try again later', 'temporary', 'greylisted', false],
    [451, '4.3.0 Temporary failure', 'temporary', 'generic', false],
    [450, '4.1.1 user unknown', 'temporary', 'generic', false],
    [421, 'too many connections', 'temporary', 'generic', false],
  ])('reads %i %s', (code, text, severity, reason, noSuchMailbox) => {
    expect(classifyReply(code, undefined, text)).toEqual({ severity, reason, noSuchMailbox });
  });

  it('trusts a status that was given, and finds one only at the beginning', () => {
    expect(classifyReply(550, '5.1.1', 'whatever').noSuchMailbox).toBe(true);
    expect(enhancedCode('5.1.1 x')).toBe('5.1.1');
    expect(enhancedCode('550-5.1.1 x')).toBe('5.1.1');
    expect(enhancedCode('host 5.1.1.9 said')).toBeUndefined();
    expect(enhancedCode('5.1.1234 x')).toBeUndefined();
  });
});

describe('maskAddresses', () => {
  it.each([
    ['jane@b.example unknown', '<recipient> unknown'],
    ['<jane@b.example>: unknown', '<recipient>: unknown'],
    ['RCPT TO:<jane@b.example> SIZE=1', 'RCPT TO:<recipient> SIZE=1'],
    ['(jane@b.example)', '(<recipient>)'],
    ['user jane@b.example.', 'user <recipient>.'],
    ['"jane doe"@b.example', '<recipient>'],
    ['<"jane@x"@b.example>', '<recipient>'],
    ['jane@[192.0.2.1] gone', '<recipient> gone'],
    ['jane%40b.example', '<recipient>'],
    ['https://x.example/?u=jane%40b.example&x', 'https:<recipient>&x'],
    ['jane=40b.example', '<recipient>'],
    ['jane&#64;b.example', '<recipient>'],
    ['jane&#x40;b.example', '<recipient>'],
    ['&lt;jane@b.example&gt;', '&lt;<recipient>&gt;'],
    ['jane\uff20b.example', '<recipient>'],
    ['SRS0=HHH=TT=b.example=jane@fwd.example', '<recipient>'],
    ['SRS1=HHH=fwd.example==HHH=TT=b.example=jane@x.example', '<recipient>'],
    ['prvs=1234567890=jane@b.example', '<recipient>'],
    ['bounces+jane=b.example@list.example', '<recipient>'],
    ['bounces+jane=b.example bounced', '<recipient> bounced'],
    ['rfc822;jane@b.example', 'rfc822;<recipient>'],
    ['mailto:jane@b.example', 'mailto:<recipient>'],
    ['jürgen@bücher.example', '<recipient>'],
    ['jane@b.example,john@b.example;x@y', '<recipient>,<recipient>;<recipient>'],
    ['jane@', '<recipient>'],
    ['spf=fail header.from=b.example dkim=none', 'spf=fail header.from=b.example dkim=none'],
    ['users @b.example', 'users @b.example'],
    ['no address here, 4.7.1', 'no address here, 4.7.1'],
    ['a\r\nb\0c', 'a b c'],
  ])('makes %j %j', (text, expected) => expect(maskAddresses(text)).toBe(expected));

  it('masks the local part of the recipient where it stands alone', () => {
    const options = { recipient: 'Jane.Doe+news@b.example' };
    expect(maskAddresses('mailbox jane.doe is full', options)).toBe('mailbox <recipient> is full');
    expect(maskAddresses('JANE.DOE+NEWS: no such user', options)).toBe('<recipient>: no such user');
    expect(maskAddresses('anjane.doem', options)).toBe('anjane.doem');
  });

  it('is bounded and never leaves half of an address or of a mask', () => {
    for (let length = 1; length < 60; length++) {
      const masked = maskAddresses('mailbox jane.doe@b.example and jane.doe@c.example gone', { maxLength: length });
      expect(masked.length).toBeLessThanOrEqual(length);
      expect(masked).not.toMatch(/jane|<(?!recipient>)/);
    }
    expect(
      maskAddresses(`${'x '.repeat(4090)}jane.doe.and.a.long.name@b.example`, { maxLength: 10_000 }),
    ).not.toContain('jane');
    expect(maskAddresses('y'.repeat(9000))).toBe('');
  });

  it('stays fast on what is made to be slow', () => {
    const started = process.cpuUsage();
    for (const part of ['@', '"@', '<', '%40', '&#', 'a-=a.', '"', '=', 'a@b.']) {
      maskAddresses(part.repeat(50_000), { recipient: 'aa@b.example' });
      maskAddresses(`${part} `.repeat(50_000), { recipient: 'aa@b.example' });
      maskAddresses(part.repeat(8192 / part.length), { recipient: 'aa@b.example' });
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(500);
  });
});
