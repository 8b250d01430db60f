import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A client that speaks SMTP by hand, so that a test decides every byte and sees every reply. */
export class SmtpClient {
  #socket: Socket;
  #received = '';
  #waiting: (() => void) | undefined;
  closed = false;

  constructor(port: number, address = '127.0.0.1') {
    this.#socket = connect(port, address);
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('utf8');
      this.#waiting?.();
    });
    this.#socket.on('close', () => {
      this.closed = true;
      this.#waiting?.();
    });
    this.#socket.on('error', () => undefined);
  }

  /** The next whole reply (RFC 5321 4.2.1), or '' if the connection closed instead. */
  async reply(): Promise<string> {
    for (;;) {
      const end = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#received);
      if (end) {
        this.#received = this.#received.slice(end[0].length);
        return end[0];
      }
      if (this.closed) return '';
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  async ask(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  async startTls(servername?: string): Promise<void> {
    await this.ask('STARTTLS');
    this.#socket.removeAllListeners('data');
    const secure = connectTls({
      socket: this.#socket,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#listen();
  }

  async hello(): Promise<string> {
    await this.reply();
    return this.ask('EHLO client.example');
  }

  /** One transaction; the replies to MAIL, each RCPT, DATA (if a recipient was taken) and the final dot. */
  async send(to: string[], raw = 'Subject: hello\r\n\r\nworld\r\n'): Promise<string[]> {
    const replies = [await this.ask('MAIL FROM:<sender@sender.example>')];
    for (const recipient of to) replies.push(await this.ask(`RCPT TO:<${recipient}>`));
    if (!replies.slice(1).some((reply) => reply.startsWith('250'))) return replies;
    replies.push(await this.ask('DATA'));
    replies.push(await this.ask(`${raw.replace(/^\./gm, '..')}.`));
    return replies;
  }

  end(): void {
    this.#socket.destroy();
  }
}
