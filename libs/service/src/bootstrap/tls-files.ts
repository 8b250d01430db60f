import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { Rounds } from '../bounded/rounds.ts';
import { StartupError } from '../errors/startup-error.ts';
import type { Log } from '../logging/log.ts';

export interface TlsOptions {
  /** PEM: the server's certificate and those between it and the root. */
  certFile: string;
  /** PEM, without a password. */
  keyFile: string;
  /** Between two looks at the files. */
  reloadMs: number;
}

export interface CertificateAndKey {
  cert: string;
  key: string;
}

/** A certificate and its key in files that somebody else renews (certbot, cert-manager). */
export class TlsFiles {
  /** What was last found in the files, good or not, so that each state is tried and logged once; undefined: they could not be read. */
  private seen: CertificateAndKey | undefined;
  readonly first: CertificateAndKey;

  /** @throws StartupError */
  constructor(private readonly options: TlsOptions) {
    try {
      this.first = this.read();
      createSecureContext(this.first);
    } catch {
      throw new StartupError('The TLS files must name a certificate and its key that can be read, in PEM form.');
    }
    this.seen = this.first;
  }

  /**
   * Puts a new certificate in force for connections to come; those that are open stay as they are. Files that do not fit together
   * (one is written before the other) change nothing.
   */
  follow(fastify: FastifyInstance, log: Log): void {
    const rounds = new Rounds({
      everyMs: this.options.reloadMs,
      work: async () => {
        const found = this.changed();
        if (!found) return;
        createSecureContext(found);
        (fastify.server as unknown as Server).setSecureContext(found);
        log.info('tls.reloaded');
      },
      failed: (error) => log.error('tls.reload-failed', { error }),
    });
    rounds.start();
    fastify.addHook('onClose', () => rounds.stop());
  }

  /** What is in the files, if that is news. Throws where it is news that they cannot be read. */
  private changed(): CertificateAndKey | undefined {
    const { seen } = this;
    try {
      this.seen = this.read();
    } catch (error) {
      this.seen = undefined;
      if (seen) throw error;
      return undefined;
    }
    return this.seen.cert === seen?.cert && this.seen.key === seen.key ? undefined : this.seen;
  }

  private read(): CertificateAndKey {
    return { cert: readFileSync(this.options.certFile, 'utf8'), key: readFileSync(this.options.keyFile, 'utf8') };
  }
}
