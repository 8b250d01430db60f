import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';

/** Refusals of a session without a message accepted between, before it is ended: scripts that understand nothing. */
const MAX_REFUSALS = 100;

export interface SessionTimes {
  /** From connecting until signed in. */
  readonly loginMs: number;
  /** From a reply until the next whole command. */
  readonly idleMs: number;
  /** From DATA until the final dot. */
  readonly dataMs: number;
}

/**
 * smtp-server's protocol, for sockets that we accept: one server for both ports, so that its bound on sessions holds over both.
 * `begin` is what the library's `connect` is, its seam between a socket and a session.
 */
export class SubmissionServer extends SMTPServer {
  constructor(
    options: SMTPServerOptions,
    readonly times: SessionTimes,
    /** Whom a client at this address is taken for without signing in; undefined: nobody. */
    readonly trustedAt: (address: string | undefined) => object | undefined,
  ) {
    super(options);
  }

  /** As the library's `connect`. `signedIn`: called with every reply from then on. */
  begin(socket: Socket | TLSSocket, signedIn: () => void): void {
    const connection = new SubmissionConnection(this, socket, signedIn);
    this.connections.add(connection);
    // Clients that vanish, and failed handshakes: theirs to notice. Unheard, it would end the process.
    connection.on('error', () => undefined);
    connection.init();
  }

  /** For whoever connects now; STARTTLS takes the same one. */
  get contextInForce(): SecureContext {
    return this.secureContext.get('*') as SecureContext;
  }

  /** Those that a message, or an answer, is not on its way in. */
  get idle(): SubmissionConnection[] {
    return this.all.filter((connection) => connection.isIdle);
  }

  /** Those whose message is not there whole. */
  get receiving(): SubmissionConnection[] {
    return this.all.filter((connection) => connection.isReceiving);
  }

  /** How many have signed in for the account. */
  sessionsOf(accountId: string): number {
    return this.all.filter(
      ({ session: { user } }) => (user as { accountId?: string } | undefined)?.accountId === accountId,
    ).length;
  }

  get all(): SubmissionConnection[] {
    return [...this.connections] as SubmissionConnection[];
  }
}

/**
 * A session that cannot be held open byte by byte: the library's time-out starts again with every octet that arrives, these
 * only with a reply of ours.
 */
export class SubmissionConnection extends SMTPConnection {
  readonly #times: SessionTimes;
  readonly #trusted: object | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #refusals = 0;

  constructor(
    server: SubmissionServer,
    socket: Socket | TLSSocket,
    private readonly signedIn: () => void,
  ) {
    super(server, socket);
    this.#times = server.times;
    // Of the connection itself: what a client could say about itself (XCLIENT, PROXY) is not heard.
    this.#trusted = server.trustedAt(socket.remoteAddress);
    if (!(socket instanceof TLSSocket)) return;
    this.session.secure = this.secure = true;
    this.tlsOptions = socket.getCipher();
  }

  get isIdle(): boolean {
    return !this._dataStream && !this._handlerPending;
  }

  get isReceiving(): boolean {
    return this._parser !== false && this._parser._dataMode;
  }

  /**
   * The library waits 100 ms before its greeting, for clients that speak first. That tells spam robots from mail servers at an
   * exchanger; here everybody has to sign in, so nobody is made to wait. What the library's `init` does besides, this does.
   */
  override init(): void {
    this.#within(this.#times.loginMs);
    this._setListeners(() => {
      const { maxClients = Number.POSITIVE_INFINITY } = this._server.options;
      if (this._server.connections.size > maxClients) this.send(421, '4.3.2 too many sessions: try again in a moment');
      else this.connectionReady();
    });
  }

  /**
   * A client of a trusted network is taken for its domain with its first MAIL; until then it may sign in as everybody does. Where
   * the PROXY protocol is spoken, the address is a proxy's and everybody would be trusted that it lets through.
   */
  override _onCommand(command: Buffer, callback?: () => void): void {
    const name = command.toString('latin1', 0, 6).toUpperCase();
    if (name === 'PROXY ') return this.send(421, '4.7.0 the PROXY protocol is not spoken here: connect without it');
    const isAnswer = this._nextHandler !== false;
    if (name.startsWith('MAIL ') && !isAnswer && !this._upgrading) this.session.user ||= this.#trusted;
    super._onCommand(command, callback);
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    // Texts of ours start with their enhanced status code (RFC 2034) and get no second one from the library's table.
    const isOurs = typeof data === 'string' && /^[245]\.\d{1,3}\.\d{1,3} /.test(data);
    super.send(code, Array.isArray(data) ? this.#offered(data) : data, isOurs ? false : context);
    if (this.session.user) this.signedIn();
    if (code === 354) this.#within(this.#times.dataMs);
    else if (this.session.user) this.#within(this.#times.idleMs);
    if (context === 'DATA_OK') this.#refusals = 0;
    else if (code >= 500 && ++this.#refusals >= MAX_REFUSALS) this.send(421, '4.7.0 too many refusals in one session');
  }

  /** AUTH is not offered before TLS (RFC 4954 §4): the library would refuse it, but the password had been sent in clear. */
  #offered(lines: string[]): string[] {
    return this.secure ? lines : lines.filter((line) => !line.startsWith('AUTH '));
  }

  override _onClose(): void {
    clearTimeout(this.#deadline);
    super._onClose();
  }

  /** The library's own end of a session whose client owes us something; where we owe an answer, it waits on. */
  #within(milliseconds: number): void {
    clearTimeout(this.#deadline);
    if (this._closing || this._closed) return;
    this.#deadline = setTimeout(() => {
      this._onTimeout();
      this.#within(milliseconds);
    }, milliseconds).unref();
  }
}
