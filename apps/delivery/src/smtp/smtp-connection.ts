import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { settleWithin } from '@lethe/service';
import { pkixFault, type TlsFault } from './certificate-proof.ts';
import type { Guard } from './guard.ts';
import { ReplyParser, type SmtpReply } from './reply-parser.ts';
import { SmtpBroken, type BreakPoint } from './smtp-error.ts';
import type { Login, SmtpOptions, SmtpTarget } from './smtp-options.ts';
import type { Transmission } from './transmission.ts';

interface Waiting {
  resolve: (reply: SmtpReply) => void;
  reject: (error: SmtpBroken) => void;
}

/** What is handed to the network together with the final dot: little enough for one write, and one TLS record (RFC 8446 §5.1). */
const END_BYTES = 16_384;
/** How long after its answer a write may take to be reported before the answer counts as one to half a message. */
const REPORTED_MS = 1_000;
/** How long a server may take to close after QUIT; then we do. */
const GOOD_BYE_MS = 1_000;
const NOTHING = Buffer.alloc(0);

/**
 * One SMTP session that is kept for many messages. MAIL, RCPT and DATA go out in one write where the server offers
 * PIPELINING (RFC 2920), and a message's content in one more. It always knows whether the final dot has left.
 */
export class SmtpConnection {
  readonly openedAt = Date.now();
  messages = 0;
  tls = false;
  /** Why there is no TLS, or what the certificate does not prove; nothing: it proves what it has to, or else that it is the host's. */
  fault: TlsFault | undefined;
  idleSince = 0;
  /** When the message that it had last began, by the monotonic clock. */
  beganAt = 0;
  private endedAt = 0;
  private readonly gone = Promise.withResolvers<void>();
  private socket: Socket;
  private waiting: Waiting[] = [];
  private phase: BreakPoint = 'connect';
  private broken: SmtpBroken | undefined;
  private timer: NodeJS.Timeout | undefined;
  private extensions = new Map<string, string>();
  private transactionOpen = false;

  private constructor(
    readonly target: SmtpTarget,
    private readonly options: SmtpOptions,
  ) {
    const { address, port, source } = target;
    const from = source ? { localAddress: source.address } : {};
    this.socket = connectTcp({ host: address, port, noDelay: true, ...from });
  }

  /** Connects, greets, says EHLO and turns to TLS where it can. Throws SmtpBroken, or SmtpRefused on a refusing greeting. */
  static async open(target: SmtpTarget, options: SmtpOptions): Promise<SmtpConnection> {
    const connection = new SmtpConnection(target, options);
    try {
      await connection.start();
      return connection;
    } catch (error) {
      connection.destroy();
      await connection.closed;
      throw error;
    }
  }

  /** Resolves when its socket is closed: the server has no session with us any more. */
  get closed(): Promise<void> {
    return this.gone.promise;
  }

  /** When the last message was through, monotonic; undefined if there was none. */
  get lastWordAt(): number | undefined {
    if (this.beganAt === 0) return undefined;
    return this.endedAt < this.beganAt ? performance.now() : this.endedAt;
  }

  get usable(): boolean {
    return this.broken === undefined;
  }

  /** Called once, when nothing can be sent over the session any more, for whatever reason. */
  onClose: () => void = () => {};

  /**
   * One transaction. Answers the reply that decides: the one to the final dot, or the first refusal. Throws SmtpBroken, or why
   * the message was called off: then its final dot has not left and never will.
   */
  async send(message: Transmission, guard: Guard): Promise<SmtpReply> {
    const sending = this.messages;
    const callOff = (): void => {
      if (this.phase !== 'final-dot') return this.break('called-off');
      // What waits in this process for a slow server must not leave any more; it may have left even so. Over TLS a write counts as
      // waiting until the next turn.
      setImmediate(() => {
        const same = this.messages === sending && this.phase === 'final-dot';
        if (same && this.socket.writableLength > 0) this.break('called-off');
      });
    };
    guard.signal.throwIfAborted();
    guard.signal.addEventListener('abort', callOff);
    this.beganAt = performance.now();
    try {
      return await this.transact(message, guard);
    } catch (error) {
      const sent = error instanceof SmtpBroken && error.ambiguous;
      throw guard.signal.aborted && !sent ? guard.signal.reason : error;
    } finally {
      this.endedAt = performance.now();
      guard.signal.removeEventListener('abort', callOff);
    }
  }

  /** Says QUIT. The server closes when it has answered; its answer is of no interest. */
  quit(): void {
    if (this.broken) return;
    this.socket.end('QUIT\r\n');
    this.break('closed', 'politely');
  }

  destroy(): void {
    this.break('closed');
  }

  private async transact(given: Transmission, guard: Guard): Promise<SmtpReply> {
    this.phase = 'envelope';
    const message = await this.suited(given);
    const refusal = this.unfit(message) ?? (await this.envelope(message));
    if (refusal !== undefined) return refusal;
    await this.permitted(guard);
    this.phase = 'content';
    const reply = this.expect(this.options.timeouts.content);
    const { prefix, data } = message;
    const end = Math.max(0, data.bytes.length - END_BYTES);
    if (end > 0) {
      await Promise.race([reply, this.written(prefix, data.bytes.subarray(0, end))]);
      if (this.waiting.length === 0) return this.early(await reply);
    }
    // From here on the server may have the message. Whether it does is never a matter of when a callback is called.
    this.phase = 'final-dot';
    const left = this.written(end > 0 ? NOTHING : prefix, data.bytes.subarray(end));
    void left.then(() => {
      if (this.phase === 'final-dot') this.limit(this.options.timeouts.finalDot);
    });
    return this.decided(await reply, left);
  }

  /** Resolves once the octets have left this process; never if they do not. */
  private written(first: Buffer, rest: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.socket.cork();
      if (first.length > 0) this.socket.write(first);
      this.socket.write(rest, (error) => {
        if (!error && !this.broken) resolve();
      });
      this.socket.uncork();
    });
  }

  /** The server waits for content; there is no way to send none but to leave. */
  private async permitted(guard: Guard): Promise<void> {
    try {
      await guard.beforeContent();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  private async start(): Promise<void> {
    this.attach();
    const greeting = this.expect(this.options.timeouts.connect);
    this.socket.once('connect', () => {
      this.phase = 'greeting';
      this.limit(this.options.timeouts.greeting);
    });
    accept(await greeting);
    this.phase = 'hello';
    await this.hello();
    const offered = this.extensions.has('STARTTLS');
    this.fault = offered ? 'validation-failure' : 'starttls-not-supported';
    if (this.target.tls === 'never') return;
    if (offered) await this.startTls();
    else if (this.target.tls === 'required') throw new SmtpBroken('tls', 'starttls-not-supported');
  }

  private async hello(): Promise<void> {
    const helo = this.target.source?.helo ?? this.options.helo;
    const reply = await this.command(`EHLO ${helo}`);
    this.extensions.clear();
    // A server older than RFC 1869 refuses EHLO; HELO is for it (RFC 5321 §3.2).
    if (reply.code >= 500) return accept(await this.command(`HELO ${helo}`));
    accept(reply);
    for (const line of reply.text.split('\n').slice(1)) {
      const [keyword = '', ...parameters] = line.split(' ');
      this.extensions.set(keyword.toUpperCase(), parameters.join(' '));
    }
  }

  private async startTls(): Promise<void> {
    this.phase = 'tls';
    const reply = await this.command('STARTTLS');
    if (reply.code !== 220) throw new SmtpBroken('tls', 'starttls-not-supported');
    // What came right behind the answer has ended the session already, and no handshake would hear of it.
    if (this.broken) throw this.broken;
    const { proof, host } = this.target;
    const name = proof?.servername ?? host;
    const plain = this.socket;
    plain.removeAllListeners();
    plain.on('error', () => this.break('error'));
    // The handshake ends whatever the certificate is: without DANE or MTA-STS, MX records are not signed and it proves nothing, and
    // the aim is privacy from those who only listen (RFC 7435). What has to be proved is asked for before anything else is said.
    const secured = connectTls({
      socket: plain,
      rejectUnauthorized: false,
      ...(this.options.trust ? { secureContext: this.options.trust } : {}),
      ...(isIP(name) ? { host: name } : { servername: name }),
    });
    this.socket = secured;
    this.attach();
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ resolve: () => reject(new SmtpBroken('tls', 'clear-text')), reject });
      this.limit(this.options.timeouts.command);
      secured.once('secureConnect', () => {
        // The parser is a new one: what came in clear is never taken for an answer (CVE-2011-0411).
        this.waiting = [];
        clearTimeout(this.timer);
        resolve();
      });
    });
    this.fault = proof ? proof.fault(secured) : pkixFault(secured);
    if (proof && this.fault) throw new SmtpBroken('tls', this.fault);
    this.tls = true;
    this.phase = 'hello';
    await this.hello();
    if (this.target.login) await this.logIn(this.target.login);
  }

  /** RFC 4616: the one mechanism that every smart host has; what it says is safe over TLS alone. */
  private async logIn({ username, password }: Login): Promise<void> {
    this.phase = 'login';
    const response = Buffer.from(`\0${username}\0${password}`).toString('base64');
    const reply = await this.command(`AUTH PLAIN ${response}`);
    if (reply.code !== 235) throw new SmtpBroken('login', 'refused');
  }

  private attach(): void {
    const parser = new ReplyParser((reply) => this.reply(reply));
    this.socket.on('data', (chunk: Buffer) => {
      try {
        parser.push(chunk);
      } catch {
        this.break('protocol');
      }
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.break(error.code ?? 'error'));
    this.socket.on('end', () => this.break('ended'));
    this.socket.on('close', () => {
      this.break('closed');
      this.gone.resolve();
    });
  }

  /** `left`: the end of the content has. A fast server's answer can be read before the write that it answers is reported. */
  private async decided(reply: SmtpReply, left: Promise<void>): Promise<SmtpReply> {
    const reported = this.socket.writableLength === 0 || (await settleWithin(left, REPORTED_MS)) === 'settled';
    if (!reported) return this.early(reply);
    this.messages += 1;
    this.transactionOpen = false;
    this.phase = 'envelope';
    this.settle(reply);
    return reply;
  }

  /** An answer before the end of the content: what would follow must not be read as commands. A refusal counts all the same. */
  private early(reply: SmtpReply): SmtpReply {
    const { phase } = this;
    this.destroy();
    if (reply.code < 400) throw new SmtpBroken(phase, 'protocol');
    return reply;
  }

  /**
   * Of a message with octets over 127, what the server takes: seven bits where it has not offered more (RFC 6152 §3, RFC 6531 §3.6). What cannot
   * be said in seven goes as it is: every server in use passes it.
   */
  private async suited(message: Transmission): Promise<Transmission> {
    const { data, utf8, from, to, sevenBit } = message;
    const taken = (!data.eightBit || this.extensions.has('8BITMIME')) && (!utf8 || this.extensions.has('SMTPUTF8'));
    if (taken || !sevenBit) return message;
    const converted = await sevenBit();
    return converted ? { ...message, data: converted, utf8: !(isAsciiText(from) && isAsciiText(to)) } : message;
  }

  /** What the server would refuse anyway, by what it announced, with the reply it would give. */
  private unfit({ data, prefix, utf8, from, to }: Transmission): SmtpReply | undefined {
    const limit = Number(this.extensions.get('SIZE') ?? 0);
    if (limit > 0 && prefix.length + data.size > limit)
      return { code: 552, text: '5.3.4 Message too big for the server (RFC 1870)' };
    if (utf8 && !this.extensions.has('SMTPUTF8') && !(isAsciiText(from) && isAsciiText(to))) {
      return { code: 550, text: '5.6.7 The server does not take addresses that are not ASCII (RFC 6531)' };
    }
    return undefined;
  }

  private async envelope(message: Transmission): Promise<SmtpReply | undefined> {
    const commands = [`MAIL FROM:<${message.from}>${this.parameters(message)}`, `RCPT TO:<${message.to}>`, 'DATA'];
    if (this.transactionOpen) commands.unshift('RSET');
    this.transactionOpen = true;
    const replies = this.extensions.has('PIPELINING') ? await this.group(commands) : await this.oneByOne(commands);
    const refused = replies.find((reply) => reply.code >= 400);
    if (refused === undefined) return undefined;
    // A server may take DATA although nobody is left to mail: the client then ends it at once (RFC 2920 §3.1).
    if (replies.length === commands.length && replies.at(-1)?.code === 354) await this.command('.');
    this.settle(refused);
    return refused;
  }

  private parameters({ data, prefix, utf8 }: Transmission): string {
    return (
      (this.extensions.has('SIZE') ? ` SIZE=${prefix.length + data.size}` : '') +
      (data.eightBit && this.extensions.has('8BITMIME') ? ' BODY=8BITMIME' : '') +
      (utf8 && this.extensions.has('SMTPUTF8') ? ' SMTPUTF8' : '')
    );
  }

  /** Fewer replies than commands where the server said no and closed: what it said counts, not that there is no more. */
  private async group(commands: string[]): Promise<SmtpReply[]> {
    const replies = commands.map(() => this.expect(this.options.timeouts.command));
    this.socket.write(`${commands.join('\r\n')}\r\n`);
    const settled = await Promise.allSettled(replies);
    const said = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    if (said.length < commands.length && !said.some(({ code }) => code >= 400)) throw this.broken as SmtpBroken;
    return said;
  }

  private async oneByOne(commands: string[]): Promise<SmtpReply[]> {
    const replies: SmtpReply[] = [];
    for (const command of commands) {
      const reply = await this.command(command);
      replies.push(reply);
      if (reply.code >= 400) break;
    }
    return replies;
  }

  private command(line: string): Promise<SmtpReply> {
    const reply = this.expect(this.options.timeouts.command);
    this.socket.write(`${line}\r\n`);
    return reply;
  }

  private expect(timeoutMs: number): Promise<SmtpReply> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken);
      this.waiting.push({ resolve, reject });
      this.limit(timeoutMs);
    });
  }

  private limit(timeoutMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.break('timeout'), timeoutMs);
  }

  private reply(reply: SmtpReply): void {
    const waiting = this.waiting.shift();
    if (waiting === undefined) {
      // A server that says something unasked says good-bye (421), or is out of step.
      this.break('unasked');
      return;
    }
    if (this.waiting.length === 0) clearTimeout(this.timer);
    waiting.resolve(reply);
    // Whatever it was asked after that, it says no more.
    if (reply.code === 421 && this.waiting.length > 0) this.break('closed');
  }

  /** A 421 ends the session (RFC 5321 §3.8), whatever it answered. */
  private settle({ code }: SmtpReply): void {
    if (code === 421) this.destroy();
  }

  private break(code: string, how: 'at-once' | 'politely' = 'at-once'): void {
    if (this.broken) return;
    this.broken = new SmtpBroken(this.phase, code);
    clearTimeout(this.timer);
    for (const { reject } of this.waiting.splice(0)) reject(this.broken);
    // At once, so that nothing more leaves: above all no final dot of a message that counts as not sent.
    if (how === 'at-once') this.socket.destroy();
    else this.closeSoon();
    this.onClose();
  }

  private closeSoon(): void {
    const { socket } = this;
    const timer = setTimeout(() => socket.destroy(), GOOD_BYE_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}

/** The server answered, and what it answered is no: to the connection as a whole, not to a message. */
export class SmtpRefused extends Error {
  override readonly name = 'SmtpRefused';
  constructor(readonly reply: SmtpReply) {
    super(`The server refused the session (${reply.code})`);
  }
}

function accept(reply: SmtpReply): void {
  if (reply.code >= 300) throw new SmtpRefused(reply);
}

function isAsciiText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}
