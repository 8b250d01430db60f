import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Login } from '@lethe/testing';

/** One session, greeted; envelopes are pipelined (RFC 2920), as senders of many messages do. */
export class SmtpSession {
  readonly #socket: Socket;
  readonly #waiting: ((code: number) => void)[] = [];
  #rest = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** Over TLS and signed in; without a login in clear. @throws on a reply that is none of a server that takes mail. */
  static async open(port: number, login?: Login): Promise<SmtpSession> {
    const at = { port, host: '127.0.0.1' };
    const socket = login ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
    const session = new SmtpSession(socket);
    await once(socket, login ? 'secureConnect' : 'connect');
    await session.#expect(220);
    await session.#command('EHLO bench.example', 250);
    if (!login) return session;
    const secret = Buffer.from(`\0${login.user}\0${login.password}`).toString('base64');
    await session.#command(`AUTH PLAIN ${secret}`, 235);
    return session;
  }

  /** `content` with its final dot. */
  async send(from: string, to: string, content: Buffer): Promise<void> {
    this.#socket.write(`MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
    await Promise.all([this.#expect(250), this.#expect(250), this.#expect(354)]);
    this.#socket.write(content);
    await this.#expect(250);
  }

  close(): void {
    this.#socket.destroy();
  }

  #command(line: string, code: number): Promise<void> {
    this.#socket.write(`${line}\r\n`);
    return this.#expect(code);
  }

  async #expect(code: number): Promise<void> {
    const found = await new Promise<number>((resolve) => this.#waiting.push(resolve));
    if (found !== code) throw new Error(`the server answered ${found} by SMTP`);
  }

  #read(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line[3] === ' ') this.#waiting.shift()?.(Number(line.slice(0, 3)));
  }
}
