/** A whole reply of a server (RFC 5321 §4.2): the code of its last line and the text of all lines. */
export interface SmtpReply {
  code: number;
  /** Without codes; lines separated by `\n`. May name people: mask before it is kept. */
  text: string;
}

/** What the server sent is no SMTP, or more than a reply may be. The connection is of no use any more. */
export class SmtpProtocolError extends Error {
  override readonly name = 'SmtpProtocolError';
}

/** RFC 5321 §4.5.3.1.5 allows 512 octets a line; servers exceed it, so a margin. */
const MAX_LINE = 4_096;
const MAX_REPLY = 65_536;
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s;

/** Cuts what arrives into replies. Holds at most one incomplete reply, bounded. */
export class ReplyParser {
  private rest = '';
  private lines: string[] = [];
  private size = 0;

  constructor(private readonly onReply: (reply: SmtpReply) => void) {}

  /** Throws SmtpProtocolError. */
  push(chunk: Buffer): void {
    // Octets, not characters: a chunk may end inside a UTF-8 sequence (RFC 6531 §3.7.4.1 allows UTF-8 here).
    this.rest += chunk.toString('latin1');
    let start = 0;
    for (let end = this.rest.indexOf('\n'); end !== -1; end = this.rest.indexOf('\n', start)) {
      this.line(this.rest.slice(start, this.rest.charCodeAt(end - 1) === 13 ? end - 1 : end));
      start = end + 1;
    }
    this.rest = this.rest.slice(start);
    if (this.rest.length > MAX_LINE) throw new SmtpProtocolError('A reply line is too long');
  }

  private line(line: string): void {
    const match = LINE.exec(line);
    if (!match) throw new SmtpProtocolError('A reply line does not begin with a reply code');
    const [, code, separator, text = ''] = match;
    this.size += line.length;
    if (line.length > MAX_LINE || this.size > MAX_REPLY) throw new SmtpProtocolError('A reply is too long');
    this.lines.push(text);
    if (separator === '-') return;
    const reply = { code: Number(code), text: Buffer.from(this.lines.join('\n'), 'latin1').toString('utf8') };
    this.lines = [];
    this.size = 0;
    this.onReply(reply);
  }
}
