import type { Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { CertificateFiles } from '../tls/certificate-files.ts';

/** A renewed certificate is in force for connections to come; those that are open stay as they are. */
export function followCertificates(fastify: FastifyInstance, certificates: CertificateFiles): void {
  const server = fastify.server as unknown as Server;
  certificates.follow(({ cert, key }) => server.setSecureContext({ cert, key }));
  fastify.addHook('onClose', () => certificates.stop());
}
