import { describe, expect, it } from 'vitest';
import { inHeaders, optionFields } from './mailgun.headers.ts';

const message = (...lines: string[]) => Buffer.from([...lines, '', 'X-Mailgun-Tag: in the body', ''].join('\r\n'));

describe('X-Mailgun headers', () => {
  it('are what a form calls o: and v:', () => {
    const fields = optionFields(
      message(
        'X-Mailgun-Tag: one',
        'x-mailgun-tag: two',
        'Subject: Hello',
        'X-MAILGUN-DKIM: no',
        'X-Mailgun-Require-TLS: yes',
        'X-Mailgun-Drop-Message: yes',
        'X-Mailgun-Track-Clicks: htmlonly',
        'X-Mailgun-Deliver-By: Fri, 25 Dec 2026 23:10:10 -0000',
      ),
    );
    expect(Object.fromEntries(fields)).toEqual({
      'o:tag': ['one', 'two'],
      'o:dkim': ['no'],
      'o:require-tls': ['yes'],
      'o:testmode': ['yes'],
      'o:tracking-clicks': ['htmlonly'],
      'o:deliverytime': ['Fri, 25 Dec 2026 23:10:10 -0000'],
    });
  });

  it('variables may be folded, encoded and repeated; what is no text is JSON', () => {
    const fields = optionFields(
      message(
        'X-Mailgun-Variables: {"order": 7,',
        ' "deep": {"a": [1]}}',
        'X-Mailgun-Variables: =?utf-8?B?eyJjaXR5IjoiWsO8cmljaCJ9?=',
      ),
    );
    expect(Object.fromEntries(fields)).toEqual({ 'v:order': ['7'], 'v:deep': ['{"a":[1]}'], 'v:city': ['Zürich'] });
  });

  it.each(['{', '[1]', '"text"', ''])('variables that are %j are refused by name', (value) => {
    expect(() => optionFields(message(`X-Mailgun-Variables: ${value}`))).toThrow(
      "'X-Mailgun-Variables' must be a JSON object",
    );
  });

  it('others of the name say nothing', () => {
    expect(optionFields(message('X-Mailgun-Sid: abc', 'X-Mailgun-Sflag: No')).size).toBe(0);
  });

  it('refusals name the header', () => {
    expect(inHeaders("'o:dkim' must be yes or no")).toBe("'X-Mailgun-Dkim' must be yes or no");
    expect(inHeaders("a 'v:' name must not")).toBe("a 'X-Mailgun-Variables' name must not");
    expect(inHeaders("'message' parameter")).toBe("'message' parameter");
  });
});
