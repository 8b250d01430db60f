import { describe, expect, it } from 'vitest';
import { asksToUnsubscribe, unsubscribeLines } from './unsubscribe.ts';

const url = 'https://mail.example/unsubscribe/a.b.c';
const added = (header: string): string => unsubscribeLines(Buffer.from(header), url).toString();
const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n';

describe('the lines to unsubscribe by', () => {
  it('are both there where the sender has none', () => {
    expect(added('From: a@a.example\r\n')).toBe(`List-Unsubscribe:\r\n <${url}>\r\n${POST}`);
  });

  it.each([
    ['a way of its own', 'List-Unsubscribe: <mailto:stop@a.example>\r\n', ''],
    ['our link', `List-Unsubscribe: <mailto:stop@a.example>,\r\n <${url}>\r\n`, POST],
    ['both lines', `List-Unsubscribe: <${url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n`, ''],
  ])('add nothing to a sender’s that has %s but what it lacks', (_, header, lines) => {
    expect(added(header)).toBe(lines);
  });
});

it.each([
  ['List-Unsubscribe: <%unsubscribe_url%>\r\n\r\n', true],
  ['List-Unsubscribe: <https://a.example/stop>\r\n\r\n', false],
  ['Subject: %unsubscribe_url%\r\n\r\n%unsubscribe_url%', false],
])('%j asks for a link: %s', (raw, asks) => {
  expect(asksToUnsubscribe(Buffer.from(raw))).toBe(asks);
});
