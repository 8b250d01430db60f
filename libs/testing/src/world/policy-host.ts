import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CertificateAndKey } from '../smtp/certificate.ts';

export interface PolicyHost {
  port: number;
  /** `GET host path` of every request, in order. */
  requests: string[];
  /** What it answers from now on. */
  answers(response: { status?: number; headers?: Record<string, string>; body: string }): void;
  shows(certificate: CertificateAndKey): void;
  /** Ends it: whoever connects is refused. */
  close(): Promise<void>;
}

/** A web server of MTA-STS policies on loopback (RFC 8461 §3.3), at one port for all names. */
export async function policyHost(certificate: CertificateAndKey): Promise<PolicyHost> {
  let answer: { status?: number; headers?: Record<string, string>; body: string } = { status: 404, body: '' };
  const requests: string[] = [];
  const server: Server = createServer({ cert: certificate.certificate, key: certificate.key }, (request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`);
    response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    answers: (next) => {
      answer = next;
    },
    shows: (next) => server.setSecureContext({ cert: next.certificate, key: next.key }),
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
