import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection';
import type { Behaviours } from './behaviour.ts';
import type { Mailbox } from './mailbox.ts';

const HOST = '127.0.0.1';
/** A label of an exchanger's name: no handshake with it ends. */
const BAD_TLS = 'badtls';

/** Counters of one world; `current` and `peak` are open connections, so a test can see pooling. */
export interface SmtpStats {
  connections: number;
  current: number;
  peak: number;
  tlsConnections: number;
  messages: number;
  refused: number;
  /** The most messages one connection carried. */
  mostMessagesPerConnection: number;
}

/** One thing that happened in a session, in the order in which the server saw it. */
export interface SmtpMoment {
  /** That was connected to. */
  address: string;
  /** That it was connected to from. */
  client: string;
  session: number;
  /** `begun`: a recipient was named; `taken`: a message has come whole. */
  what: 'opened' | 'begun' | 'taken' | 'closed';
  /** Epoch ms with fractions, by a clock that only goes forward. */
  at: number;
}

export interface SmtpServerOptions {
  port: number;
  /** Where it listens besides 127.0.0.1, at the same port. */
  addresses: readonly string[];
  name: string;
  maxMessageBytes: number;
  slowMs: number;
  behaviours: Behaviours;
  mailbox: Mailbox;
}

export interface RunningSmtpServer {
  host: string;
  port: number;
  stats: SmtpStats;
  /** The newest `MOMENTS`. */
  moments: readonly SmtpMoment[];
  stop(): Promise<void>;
}

const MOMENTS = 200_000;
type Says = (what: SmtpMoment['what']) => void;

class Connection extends SMTPConnection {
  says: Says = () => undefined;
  slow = false;
  drop = false;
  mute = false;
  messages = 0;

  /** The library waits a fixed 100 ms before its banner to catch early talkers; nobody needs that on loopback. */
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  /** A text that starts with its own enhanced status code (RFC 2034) gets no second one from the library's table. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const own = typeof data === 'string' && /^[245]\.\d{1,3}\.\d{1,3} /.test(data);
    super.send(code, data, own ? false : context);
  }

  abort(): void {
    this._socket.destroy();
  }

  override _onCloseEvent(hadError: boolean): void {
    this.says('closed');
    super._onCloseEvent(hadError);
  }

  leavesWith(socket: Socket): void {
    leaves(socket, this.says);
  }
}

/** A client that says no more has ended its session, however late it is closed here. */
function leaves(socket: Socket, says: Says): void {
  socket.once('end', () => says('closed'));
  socket.once('close', () => says('closed'));
}

class WorldServer extends SMTPServer {
  readonly #connections = new WeakMap<object, Connection>();
  readonly says = new WeakMap<object, Says>();

  /** `connect` is the library's seam between an accepted socket and its SMTP session. */
  override connect(socket: Socket | TLSSocket): void {
    const connection = new Connection(this, socket);
    connection.says = this.says.get(socket) ?? connection.says;
    this.connections.add(connection);
    this.#connections.set(connection.session, connection);
    connection.on('error', () => undefined); // clients that vanish are part of the world
    connection.init();
  }

  override _resolveSNI(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    if (name.split('.').includes(BAD_TLS)) done(new Error('no handshake here'));
    else super._resolveSNI(name, done);
  }

  connectionOf(session: SMTPServerSession): Connection | undefined {
    return this.#connections.get(session);
  }
}

/** The SMTP server of the world on loopback: STARTTLS (a test certificate), PIPELINING, 8BITMIME, SMTPUTF8, SIZE. */
export async function startSmtpServer(options: SmtpServerOptions): Promise<RunningSmtpServer> {
  const stats: SmtpStats = {
    connections: 0,
    current: 0,
    peak: 0,
    tlsConnections: 0,
    messages: 0,
    refused: 0,
    mostMessagesPerConnection: 0,
  };
  const sockets = new Set<Socket>();
  const moments: SmtpMoment[] = [];
  const server = new WorldServer({
    name: options.name,
    authMethods: [],
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    lenientAddressParsing: true,
    logger: false, // also silences the warning about the built-in certificate, which is meant for tests
    rejectOversized: true,
    size: options.maxMessageBytes,
    onSecure(socket, session, done) {
      stats.tlsConnections++;
      // With its handshake the library takes away whoever listened to the connection.
      server.connectionOf(session)?.leavesWith(socket);
      done();
    },
    onRcptTo(recipient, session, done) {
      const connection = server.connectionOf(session);
      connection?.says('begun');
      const behaviour = options.behaviours.of(recipient.address);
      switch (behaviour.kind) {
        case 'silent':
          return;
        case 'refuse':
          stats.refused++;
          return done(Object.assign(new Error(behaviour.text), { responseCode: behaviour.code }));
        case 'drop':
          if (connection) connection.drop = true;
          return done();
        case 'mute':
          if (connection) connection.mute = true;
          return done();
        case 'slow':
          if (connection) connection.slow = true;
          return void setTimeout(done, options.slowMs);
        case 'accept':
          return done();
      }
    },
    onMailFrom(_sender, session, done) {
      const connection = server.connectionOf(session);
      if (connection) connection.slow = connection.drop = connection.mute = false;
      done();
    },
    onData(stream, session, done) {
      const connection = server.connectionOf(session);
      if (!connection || connection.drop) {
        stream.once('data', () => connection?.abort());
        return;
      }
      collect(stream, (raw) => {
        const receivedAt = new Date().toISOString();
        const answer = () => {
          if (!stream.sizeExceeded) {
            const { mailFrom, rcptTo } = session.envelope;
            const from = mailFrom ? mailFrom.address : '';
            const to = rcptTo.map((recipient) => recipient.address);
            options.mailbox.add({ from, to, receivedAt, tls: session.secure, raw });
            connection.says('taken');
            stats.messages++;
            stats.mostMessagesPerConnection = Math.max(stats.mostMessagesPerConnection, ++connection.messages);
          }
          if (connection.mute) connection.abort();
          else done(null, '2.0.0 OK: message kept');
        };
        if (connection.slow) setTimeout(answer, options.slowMs);
        else answer();
      });
    },
  });
  server.on('error', () => undefined); // of single connections; a failed listen is reported below
  // Before the library begins with it.
  server.server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket);
    stats.connections++;
    stats.current++;
    stats.peak = Math.max(stats.peak, stats.current);
    const { localAddress: address = '', remoteAddress: client = '' } = socket;
    const session = stats.connections;
    let open = true;
    const says = (what: SmtpMoment['what']): void => {
      if (!open) return;
      moments.push({ address, client, session, what, at: performance.timeOrigin + performance.now() });
      if (moments.length > MOMENTS) moments.splice(0, MOMENTS / 2);
      if (what !== 'closed') return;
      open = false;
      sockets.delete(socket);
      stats.current--;
    };
    server.says.set(socket, says);
    says('opened');
    leaves(socket, says);
  });
  server.listen(options.port, HOST);
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const more = await Promise.all(options.addresses.map((address) => listenAt(address, port, server.server)));
  return {
    host: HOST,
    port,
    stats,
    moments,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(resolve));
      for (const one of more) one.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Whoever connects there has connected to `server`. */
async function listenAt(address: string, port: number, server: { emit(event: 'connection', socket: Socket): unknown }) {
  const listening: Server = createServer((socket) => server.emit('connection', socket));
  listening.listen(port, address);
  await once(listening, 'listening');
  return listening;
}

/** `Buffer.concat` copies on purpose: a kept slice would keep the whole 64 KiB read of its socket alive. */
function collect(stream: SMTPServerDataStream, done: (raw: Buffer) => void): void {
  let chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    if (stream.sizeExceeded) chunks = [];
    else chunks.push(chunk);
  });
  stream.on('error', () => undefined); // the client left before the final dot: nothing arrived
  stream.on('end', () => done(Buffer.concat(chunks)));
}
