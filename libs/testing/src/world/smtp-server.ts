import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection';
import type { Behaviours } from './behaviour.ts';
import type { Mailbox } from './mailbox.ts';

const HOST = '127.0.0.1';

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

export interface SmtpServerOptions {
  port: number;
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
  stop(): Promise<void>;
}

class Connection extends SMTPConnection {
  slow = false;
  drop = false;
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
}

class WorldServer extends SMTPServer {
  readonly #connections = new WeakMap<object, Connection>();

  /** `connect` is the library's seam between an accepted socket and its SMTP session. */
  override connect(socket: Socket | TLSSocket): void {
    const connection = new Connection(this, socket);
    this.connections.add(connection);
    this.#connections.set(connection.session, connection);
    connection.on('error', () => undefined); // clients that vanish are part of the world
    connection.init();
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
    onSecure(_socket, _session, done) {
      stats.tlsConnections++;
      done();
    },
    onRcptTo(recipient, session, done) {
      const connection = server.connectionOf(session);
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
        case 'slow':
          if (connection) connection.slow = true;
          return void setTimeout(done, options.slowMs);
        case 'accept':
          return done();
      }
    },
    onMailFrom(_sender, session, done) {
      const connection = server.connectionOf(session);
      if (connection) connection.slow = connection.drop = false;
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
            stats.messages++;
            stats.mostMessagesPerConnection = Math.max(stats.mostMessagesPerConnection, ++connection.messages);
          }
          done(null, '2.0.0 OK: message kept');
        };
        if (connection.slow) setTimeout(answer, options.slowMs);
        else answer();
      });
    },
  });
  server.on('error', () => undefined); // of single connections; a failed listen is reported below
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    stats.connections++;
    stats.current++;
    stats.peak = Math.max(stats.peak, stats.current);
    socket.on('close', () => {
      sockets.delete(socket);
      stats.current--;
    });
  });
  server.listen(options.port, HOST);
  await once(server.server, 'listening');
  return {
    host: HOST,
    port: (server.server.address() as AddressInfo).port,
    stats,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
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
