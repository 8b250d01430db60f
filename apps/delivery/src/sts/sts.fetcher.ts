import { request } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { MxResolver } from '../dns/mx.resolver.ts';
import { parsePolicy, type StsPolicy } from './sts.policy.ts';

/** RFC 8460 §4.3.2.2. */
export const STS_FAULTS = ['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'] as const;
export type StsFault = (typeof STS_FAULTS)[number];

/** No policy was got. */
export class StsNotFetched extends Error {
  override readonly name = 'StsNotFetched';
  constructor(readonly fault: StsFault) {
    super(`A policy was not fetched (${fault})`);
  }
}

export interface StsFetcherOptions {
  port: number;
  timeoutMs: number;
  /** Authorities that are trusted. */
  trust: SecureContext;
  /** Where we may connect to: a domain's policy host is at any address that its owner names. */
  allowed: (address: string) => boolean;
}

/** RFC 8461 §3.3 suggests this limit. */
const MAX_BYTES = 65_536;

/** Fetches policies over HTTPS. */
export class StsFetcher {
  constructor(
    private readonly resolver: MxResolver,
    private readonly options: StsFetcherOptions,
  ) {}

  /** Throws StsNotFetched. */
  async fetch(domain: string): Promise<StsPolicy> {
    const host = `mta-sts.${domain}`;
    const policy = parsePolicy(await this.get(host, await this.address(host)));
    if (!policy) throw new StsNotFetched('sts-policy-invalid');
    return policy;
  }

  /** Looked up here and connected to as it is, so that no second answer of DNS leads elsewhere. */
  private async address(host: string): Promise<string> {
    const { addresses } = await this.resolver.addresses(host).catch(() => ({ addresses: [] }));
    const address = addresses.find(this.options.allowed);
    if (address === undefined) throw new StsNotFetched('sts-policy-fetch-error');
    return address;
  }

  /** No redirect is followed (RFC 8461 §3.3), and the whole of it takes no longer than it may. */
  private get(servername: string, address: string): Promise<string> {
    const { port, timeoutMs, trust } = this.options;
    return new Promise<string>((resolve, reject) => {
      const fail = (fault: StsFault): void => {
        asked.destroy();
        reject(new StsNotFetched(fault));
      };
      // Node hands all of them on to TLS; its types do not know of the context.
      const options = {
        host: address,
        port,
        path: '/.well-known/mta-sts.txt',
        servername,
        headers: { host: servername, accept: 'text/plain', 'user-agent': 'lethe' },
        agent: false,
        secureContext: trust,
        signal: AbortSignal.timeout(timeoutMs),
      };
      const asked = request(options);
      asked.on('error', (error: NodeJS.ErrnoException) =>
        fail(isCertificate(error.code ?? '') ? 'sts-webpki-invalid' : 'sts-policy-fetch-error'),
      );
      asked.on('response', (response) => {
        const type = response.headers['content-type'] ?? '';
        if (response.statusCode !== 200 || !/^text\/plain *(;|$)/i.test(type)) return fail('sts-policy-fetch-error');
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_BYTES) fail('sts-policy-invalid');
        });
        response.on('error', () => fail('sts-policy-fetch-error'));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      asked.end();
    });
  }
}

/** Codes of OpenSSL's verification and Node's check of the name. */
const isCertificate = (code: string): boolean => /CERT|SELF_SIGNED|UNABLE_TO|INVALID_CA|UNTRUSTED|SIGNATURE/.test(code);
