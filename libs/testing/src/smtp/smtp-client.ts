import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';

export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** A client of single octets: what a library would never send is what these tests are about. */
export class SmtpClient {
  private socket!: Socket;
  private text = '';
  private readonly replies: Reply[] = [];
  isClosed = false;
  private wake: () => void = () => undefined;

  /** `from`: an address of the loopback network, where failed logins of others must not count. */
  static async connect(port: number, { tls = false, from = '127.0.0.1' } = {}): Promise<SmtpClient> {
    const client = new SmtpClient();
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    client.use(tls ? connectTls({ socket, rejectUnauthorized: false }) : socket);
    await once(client.socket, tls ? 'secureConnect' : 'connect');
    return client;
  }

  /** Greeted, in TLS, and signed in. */
  static async signedIn(port: number, login: string, password: string): Promise<SmtpClient> {
    const client = await SmtpClient.connect(port, { tls: true });
    await client.reply();
    await client.command('EHLO client.example');
    const { code } = await client.signIn(login, password);
    if (code !== 235) throw new Error(`not signed in: ${code}`);
    return client;
  }

  write(octets: string | Buffer): void {
    this.socket.write(octets);
  }

  command(line: string): Promise<Reply> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** The next one; rejects once the connection is closed and none is left. */
  async reply(withinMs = 20_000): Promise<Reply> {
    const deadline = Date.now() + withinMs;
    while (this.replies.length === 0) {
      if (this.isClosed) throw new Error('the server has closed the connection');
      if (Date.now() > deadline) throw new Error('no reply in time');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 50);
      });
    }
    return this.replies.shift() as Reply;
  }

  /** Whether a reply is there that nobody has asked for. */
  get hasReply(): boolean {
    return this.replies.length > 0;
  }

  /** Of the server, as its certificate says; empty in clear. */
  get certificateName(): string {
    return this.socket instanceof TLSSocket ? String(this.socket.getPeerCertificate().subject.CN) : '';
  }

  async startTls(): Promise<void> {
    const { code } = await this.command('STARTTLS');
    if (code !== 220) throw new Error(`no STARTTLS: ${code}`);
    await this.handshake();
  }

  async handshake(): Promise<void> {
    this.socket.removeAllListeners('data');
    this.use(connectTls({ socket: this.socket, rejectUnauthorized: false }));
    await once(this.socket, 'secureConnect');
  }

  signIn(login: string, password: string): Promise<Reply> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString('base64')}`);
  }

  /** MAIL, RCPT and DATA; answers the reply that says no, or the 354. */
  async envelope(from: string, ...to: string[]): Promise<Reply> {
    for (const line of [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${one}>`)]) {
      const reply = await this.command(line);
      if (reply.code !== 250) return reply;
    }
    return this.command('DATA');
  }

  /** With a final dot, nothing else changed. */
  data(octets: string | Buffer): Promise<Reply> {
    this.write(octets);
    return this.command('\r\n.');
  }

  /** Resolves once the server has closed the connection. */
  async closed(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!this.isClosed) {
      if (Date.now() > deadline) throw new Error('the server has not closed the connection');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  end(): void {
    this.socket.destroy();
  }

  private use(socket: Socket): void {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  private read(chunk: Buffer): void {
    this.text += chunk.toString('utf8');
    for (let match = /^((?:\d{3}-.*\r\n)*(\d{3}) .*)\r\n/.exec(this.text); match;) {
      this.text = this.text.slice(match[0].length);
      this.replies.push({ code: Number(match[2]), text: match[1] ?? '' });
      match = /^((?:\d{3}-.*\r\n)*(\d{3}) .*)\r\n/.exec(this.text);
    }
    this.wake();
  }
}
