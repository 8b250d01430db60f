import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { until, type Login } from '@lethe/testing';
import { textOf, type Sender } from './load.ts';

/** One session over TLS, greeted; envelopes are pipelined (RFC 2920), as senders of many messages do. */
class Session {
  readonly #socket: TLSSocket;
  readonly #waiting: ((code: number) => void)[] = [];
  #rest = '';

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async open(port: number, { user, password }: Login): Promise<Session> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const session = new Session(socket);
    await once(socket, 'secureConnect');
    await session.#expect(220);
    await session.#command('EHLO bench.example', 250);
    await session.#command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`, 235);
    return session;
  }

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
    if (found !== code) throw new Error(`ingest answered ${found} by SMTP`);
  }

  #read(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line[3] === ' ') this.#waiting.shift()?.(Number(line.slice(0, 3)));
  }
}

/** As many sessions as there are connections, each for many messages. @throws on any reply but 250. */
export async function smtpSender(port: number, login: Login, connections: number): Promise<Sender> {
  // The login reaches ingest over Kafka.
  let first: Session | undefined;
  const signedIn = async (): Promise<boolean> => (first = await Session.open(port, login)) !== undefined;
  if (!(await until(signedIn, 15_000, 1_000)) || !first) throw new Error('the SMTP login did not work within 15 s');
  const others = Array.from({ length: connections - 1 }, () => Session.open(port, login));
  const free = [first, ...(await Promise.all(others))];
  const all = [...free];
  const [, domain = ''] = login.user.split('@');
  return {
    send: async (to, bytes) => {
      const session = free.pop();
      if (!session) throw new Error('more messages at once than sessions');
      const header = `From: bench@${domain}\r\nTo: ${to}\r\nSubject: Bench\r\n\r\n`;
      await session.send(`bench@${domain}`, to, Buffer.from(`${header}${textOf(bytes)}\r\n.\r\n`));
      free.push(session);
    },
    close: () => {
      for (const session of all) session.close();
    },
  };
}
