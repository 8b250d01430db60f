import { ApiError } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import type { RequestRecord } from './request.repository.ts';

/** JSON with the payload beside it, or with `Accept: application/jose` the bare JWS (RFC 7515 §9.2.1). Throws ApiError 409. */
export function answerCertificate(
  { certificate }: RequestRecord,
  accept: string | undefined,
  reply: FastifyReply,
): unknown {
  if (certificate === null) throw new ApiError(409, 'The request is not completed: there is no certificate yet');
  void reply.header('vary', 'accept');
  if (accept?.toLowerCase().includes('application/jose')) {
    void reply.header('content-type', 'application/jose');
    return certificate;
  }
  const payload = Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString('utf8');
  return { certificate, payload: JSON.parse(payload) as unknown };
}
