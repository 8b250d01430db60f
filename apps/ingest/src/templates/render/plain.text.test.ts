import { expect, it } from 'vitest';
import { plainText } from './plain.text.ts';

it('is what a reader sees', () => {
  const html = `<html><head><title>t</title><style>p { color: red }</style></head><body>
    <h1>Hello  <b>Ann</b></h1>\n<p>One<br>two &amp; three,\n  four</p><ul><li>a</li><li>b</li></ul>
    <p>See <a href="http://x.example/?a=1&amp;b=2">this page</a>, <a href="#top">not that</a>.</p>
    <table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table><img alt="A picture" src="x"><pre>a
  b</pre><script>alert(1)</script></body></html>`;
  expect(plainText(html)).toBe(
    [
      'Hello Ann',
      '',
      'One',
      'two & three, four',
      '',
      '* a',
      '* b',
      '',
      'See this page <http://x.example/?a=1&b=2>, not that.',
      '',
      '1 2',
      '3 4',
      '',
      'A picture',
      '',
      'a',
      '  b',
      '',
    ].join('\n'),
  );
});

it('leaves %recipient.name% and links to it alone', () => {
  expect(plainText('<p>Hi %recipient.name%, <a href="%unsubscribe_url%">stop</a></p>')).toBe(
    'Hi %recipient.name%, stop <%unsubscribe_url%>\n',
  );
});

it('ends where nobody wrote any more', () => {
  expect(plainText(`<p>before</p>${'<div>'.repeat(200_000)}after`)).toBe('before\n');
});

it.each([
  ['text without tags', 'a < b', 'a < b\n'],
  ['half a tag', '<p>a</p><a href="', 'a\n'],
  ['nothing', '', '\n'],
  ['ends of nothing', '</div></p></td>a', 'a\n'],
])('takes %s', (_name, html, text) => {
  expect(plainText(html)).toBe(text);
});
