import { CONFIG, Clock, Log, StartupError } from '@lethe/service';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { PrivacyConfig } from '../config.ts';
import type { CompletedRequest } from '../requests/completed-request.ts';
import { signCertificate, verifyCertificate, type KnownKey, type Verdict } from './certificate.jws.ts';
import { certificatePayload } from './certificate.payload.ts';
import { KeyRepository } from './key.repository.ts';
import { readSigningKey, type SigningKey } from './signing-key.ts';
import { SOFTWARE } from './software.ts';

/** Signs what was proven, and tells whether something was signed here. */
@Injectable()
export class CertificateService implements OnModuleInit {
  private key: SigningKey | undefined;
  private readonly origin: string;

  constructor(
    @Inject(CONFIG) private readonly config: PrivacyConfig,
    private readonly keys: KeyRepository,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.origin = new URL(config.PUBLIC_URL).origin;
  }

  async onModuleInit(): Promise<void> {
    const key = await readSigningKey(this.config.CERTIFICATE_PRIVATE_KEY_FILE);
    if (!(await this.keys.enrol(key, new Date(this.clock.now())))) {
      throw new StartupError(
        'CERTIFICATE_PRIVATE_KEY_FILE holds a key that was replaced by another before. Give it the present key, or a new one.',
      );
    }
    this.key = key;
    this.log.info('certificates.key', { keyId: key.kid });
  }

  /** The certificate of a request that is over, as a compact JWS. Throws where there is nothing to certify. */
  async issue(request: CompletedRequest): Promise<string> {
    if (this.key === undefined) throw new Error('the key is not there yet');
    // Before it is asked for below: a certificate's time is never after its key was retired.
    const payload = certificatePayload(request, { origin: this.origin, software: SOFTWARE }, this.clock.now());
    const known = await this.keys.find(this.key.kid);
    if (known?.retiredAt !== null) throw new Error('another key signs by now: this process has to be started with it');
    const certificate = await signCertificate(payload, this.key);
    this.log.info('certificates.issued', { requestId: request.id, keyId: this.key.kid });
    return certificate;
  }

  verify(certificate: string): Promise<Verdict> {
    return verifyCertificate(certificate, (kid) => this.keys.find(kid));
  }

  publicKeys(): Promise<KnownKey[]> {
    return this.keys.all();
  }
}
