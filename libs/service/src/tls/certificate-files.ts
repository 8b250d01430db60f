import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Rounds } from '../bounded/rounds.ts';
import { StartupError } from '../errors/startup-error.ts';
import type { Log } from '../logging/log.ts';

/** A server's certificate chain and its private key, PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** How often the files are read again, ms. */
  readonly everyMs: number;
  /** What to tell the operator when they are not usable at start. */
  readonly hint: string;
  readonly log: Log;
}

/**
 * The files of a server's certificate, read again and again: a renewal only replaces them. They are read, not watched, since a mounted
 * secret changes by a link that is exchanged, which no watcher of a file sees. What does not fit together, as between the two writes
 * of a renewal, leaves the former certificate in force.
 */
export class CertificateFiles {
  /** In force. */
  current: Certificate;
  private refused: Certificate | undefined;
  private rounds: Rounds | undefined;

  /** @throws StartupError if they are not usable. */
  constructor(private readonly options: CertificateFilesOptions) {
    try {
      this.current = this.read();
      createSecureContext(this.current);
    } catch {
      // What OpenSSL says could quote the file.
      throw new StartupError(options.hint);
    }
  }

  /** `changed` is told every other certificate from now on; a connection that stands is not its business. */
  follow(changed: (certificate: Certificate) => void): void {
    const { everyMs, log } = this.options;
    const failed = (): void => log.warn('tls.certificate-refused', { reason: 'unreadable' });
    this.rounds = new Rounds({ everyMs, failed, work: async () => this.look(changed) });
    this.rounds.start();
  }

  async stop(): Promise<void> {
    await this.rounds?.stop();
  }

  private look(changed: (certificate: Certificate) => void): void {
    const found = this.read();
    if (isSame(found, this.current)) {
      this.refused = undefined;
      return;
    }
    // Said once of the same two files.
    if (this.refused && isSame(found, this.refused)) return;
    try {
      createSecureContext(found);
    } catch {
      this.refused = found;
      this.options.log.warn('tls.certificate-refused', { reason: 'not-a-pair' });
      return;
    }
    this.current = found;
    this.refused = undefined;
    changed(found);
    this.options.log.info('tls.certificate-changed');
  }

  private read(): Certificate {
    return { cert: readFileSync(this.options.certFile), key: readFileSync(this.options.keyFile) };
  }
}

const isSame = (one: Certificate, other: Certificate): boolean =>
  one.cert.equals(other.cert) && one.key.equals(other.key);
