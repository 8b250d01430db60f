import { describe, expect, it } from 'vitest';
import { ReplyParser, SmtpProtocolError, type SmtpReply } from './reply-parser.ts';

function parse(...chunks: (string | Buffer)[]): SmtpReply[] {
  const replies: SmtpReply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  for (const chunk of chunks) parser.push(Buffer.from(chunk as string));
  return replies;
}

describe('ReplyParser', () => {
  it('takes several replies from one chunk', () => {
    expect(parse('250 ok\r\n250 2.1.5 fine\r\n354 go\r\n')).toEqual([
      { code: 250, text: 'ok' },
      { code: 250, text: '2.1.5 fine' },
      { code: 354, text: 'go' },
    ]);
  });

  it('joins the lines of one reply, wherever the chunks end', () => {
    const text = Buffer.from('250-mx.example\r\n250-SIZE 100\r\n250 grüß\r\n');
    for (let at = 0; at <= text.length; at += 1) {
      expect(parse(text.subarray(0, at), text.subarray(at))).toEqual([
        { code: 250, text: 'mx.example\nSIZE 100\ngrüß' },
      ]);
    }
  });

  it('takes a code without text and a line that ends with LF alone', () => {
    expect(parse('250\r\n', '221 bye\n')).toEqual([
      { code: 250, text: '' },
      { code: 221, text: 'bye' },
    ]);
  });

  it('refuses what is no reply', () => {
    expect(() => parse('HTTP/1.1 400 Bad Request\r\n')).toThrow(SmtpProtocolError);
    expect(() => parse('650 beyond\r\n')).toThrow(SmtpProtocolError);
  });

  it('refuses endless lines and endless replies', () => {
    expect(() => parse('x'.repeat(5_000))).toThrow(SmtpProtocolError);
    expect(() => parse(...Array.from({ length: 100 }, () => `250-${'x'.repeat(1_000)}\r\n`))).toThrow(
      SmtpProtocolError,
    );
  });
});
