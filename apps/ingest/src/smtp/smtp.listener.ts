import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CertificateFiles, CONFIG, Log, StartupError, type Certificate } from '@lethe/service';
import type { SMTPServerOptions } from 'smtp-server';
import { type IngestConfig } from '../config.ts';
import { MAX_RECIPIENTS } from '../accept/submission.ts';
import { refusalOf, refuse } from './smtp.reply.ts';
import { Strangers } from './strangers.ts';
import { SubmissionServer } from './smtp.server.ts';
import { SubmissionsService } from './submissions.service.ts';

/** How long messages that are arriving may go on once the process is to stop. */
const LAST_MESSAGES_MS = 3_000;
/** What of all sessions one account has at most, so that some are left for all others. */
const SHARE = 7 / 8;
/** XCLIENT and XFORWARD let a client say who it is; the others are jokes of the library. */
const DISABLED = ['XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL'];

type Callback<T = undefined> = (error?: Error | null, result?: T) => void;

/** Submission's two ports: with STARTTLS (RFC 6409, RFC 3207), and in TLS from the start (RFC 8314 §3.3). */
@Injectable()
export class SmtpListener implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly servers: Server[] = [];
  /** Messages whose answer is not out. */
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly strangers: Strangers;
  private sessions: SubmissionServer | undefined;
  private certificates: CertificateFiles | undefined;

  constructor(
    private readonly submissions: SubmissionsService,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {
    this.strangers = new Strangers(config.SMTP_STRANGERS);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { SMTP_PORT: port, SMTP_TLS_PORT: tlsPort } = this.config;
    if (port === undefined && tlsPort === undefined) return;
    const certificates = this.openCertificates();
    this.certificates = certificates;
    const times = {
      loginMs: this.config.SMTP_LOGIN_MS,
      idleMs: this.config.SMTP_IDLE_MS,
      dataMs: this.config.SMTP_DATA_MS,
    };
    const sessions = new SubmissionServer(this.options(certificates.current), times, (address) =>
      this.submissions.trustedAt(address),
    );
    this.sessions = sessions;
    if (port !== undefined) {
      await this.listen(
        createServer((socket) => {
          if (this.admit(socket)) sessions.begin(socket, () => this.strangers.leave(socket));
        }),
        port,
        'SMTP_PORT',
      );
    }
    if (tlsPort !== undefined) {
      await this.listen(
        createServer((socket) => {
          if (this.admit(socket)) this.handshake(socket, sessions);
        }),
        tlsPort,
        'SMTP_TLS_PORT',
      );
    }
    certificates.follow((certificate) => sessions.updateSecureContext(certificate));
  }

  /** Ports in use, in the order STARTTLS, TLS. */
  get ports(): number[] {
    return this.servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Nobody new; whose message has arrived gets its answer, whose message is arriving has some seconds for the rest. */
  async onModuleDestroy(): Promise<void> {
    if (!this.sessions) return;
    await this.certificates?.stop();
    for (const server of this.servers) server.close();
    this.sessions.close();
    const bye = (connections: SubmissionServer['all']): void => {
      for (const connection of connections) connection.send(421, '4.3.2 the server is stopping: try again');
    };
    bye(this.sessions.idle);
    await Promise.race([Promise.all(this.underWay), wait(LAST_MESSAGES_MS, undefined, { ref: false })]);
    bye(this.sessions.receiving);
    await Promise.all(this.underWay);
    bye(this.sessions.all);
  }

  /** Those of a trusted network have nothing to sign in with. Who is refused hears why, where they can read it before TLS. */
  private admit(socket: Socket): boolean {
    if (this.submissions.trustedAt(socket.remoteAddress) || this.strangers.enter(socket)) return true;
    socket.on('error', () => undefined);
    socket.end('421 4.7.0 too many connections of your network have not signed in: try again\r\n', () =>
      socket.destroy(),
    );
    return false;
  }

  /** By hand: `handshakeTimeout` of Node's own TLS server starts again with every octet. */
  private handshake(socket: Socket, sessions: SubmissionServer): void {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: sessions.contextInForce });
    const deadline = setTimeout(() => secured.destroy(), this.config.SMTP_LOGIN_MS).unref();
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    secured.on('error', ignore);
    secured.once('close', () => clearTimeout(deadline));
    secured.once('secure', () => {
      clearTimeout(deadline);
      secured.off('error', ignore);
      sessions.begin(secured, () => this.strangers.leave(socket));
    });
  }

  private options({ key, cert }: Certificate): SMTPServerOptions {
    return {
      key,
      cert,
      name: this.config.SMTP_NAME ?? hostname(),
      logger: false,
      disableReverseLookup: true,
      authMethods: ['PLAIN', 'LOGIN'],
      disabledCommands: DISABLED,
      hideENHANCEDSTATUSCODES: false,
      hideDSN: false,
      heloResponse: '%s',
      size: this.config.MESSAGE_MAX_BYTES,
      maxRecipients: MAX_RECIPIENTS,
      maxClients: this.config.SMTP_SESSIONS,
      socketTimeout: this.config.SMTP_IDLE_MS,
      onAuth: (auth, session, callback) =>
        void this.answer(
          this.submissions.signIn(auth, session).then((user) => {
            this.assertShare(user.accountId);
            return { user };
          }),
          callback,
        ),
      onMailFrom: (address, session, callback) => this.check(() => this.submissions.from(address, session), callback),
      onRcptTo: (address, session, callback) => this.check(() => this.submissions.to(address, session), callback),
      onData: (stream, session, callback) => {
        const taking = this.submissions.take(stream, session).then((id) => `2.6.0 queued as <${id}>`);
        const answered = this.answer(taking, callback).finally(() => this.underWay.delete(answered));
        this.underWay.add(answered);
      },
    };
  }

  private assertShare(accountId: string): void {
    if ((this.sessions?.sessionsOf(accountId) ?? 0) < Math.ceil(SHARE * this.config.SMTP_SESSIONS)) return;
    throw refuse(421, '4.7.0 too many sessions of the account: close some');
  }

  private async answer<T>(work: Promise<T>, callback: Callback<T>): Promise<void> {
    let result: T;
    try {
      result = await work;
    } catch (error) {
      return callback(refusalOf(error, this.log));
    }
    callback(null, result);
  }

  private check(work: () => void, callback: Callback): void {
    try {
      work();
    } catch (error) {
      return callback(refusalOf(error, this.log));
    }
    callback();
  }

  private async listen(server: Server, port: number, variable: string): Promise<void> {
    // Handshakes are no sessions yet, and whoever is turned away is not gone yet.
    server.maxConnections = 2 * this.config.SMTP_SESSIONS;
    server.listen(port, this.config.SMTP_HOST);
    try {
      await once(server, 'listening');
    } catch (error) {
      const { code = '' } = error as { code?: string };
      throw new StartupError(
        `Cannot listen on ${this.config.SMTP_HOST}:${port} (${code}). Set SMTP_HOST or ${variable}.`,
      );
    }
    // Of single sockets, such as too many open files: the others go on.
    server.on('error', (error) => this.log.warn('smtp.socket-failed', { error }));
    this.servers.push(server);
  }

  private openCertificates(): CertificateFiles {
    const { SMTP_TLS_CERT_FILE: certFile, SMTP_TLS_KEY_FILE: keyFile, SMTP_TLS_RELOAD_MS: everyMs } = this.config;
    if (certFile === undefined || keyFile === undefined) {
      throw new StartupError('SMTP needs TLS: set SMTP_TLS_CERT_FILE and SMTP_TLS_KEY_FILE, or no SMTP port.');
    }
    const hint = 'SMTP_TLS_CERT_FILE and SMTP_TLS_KEY_FILE must name a certificate and its key, in PEM form.';
    return new CertificateFiles({ certFile, keyFile, everyMs, hint, log: this.log });
  }
}
