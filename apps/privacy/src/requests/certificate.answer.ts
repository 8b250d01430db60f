import { ApiError, type Answer } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { RequestRecord } from './request.repository.ts';

/** What the payload says is its own: docs/verify-certificate.md. */
export const certificateAnswer = z.object({ certificate: z.string(), payload: z.record(z.string(), z.unknown()) });
/** As JSON, or the bare JWS. */
export type CertificateAnswer = Answer<typeof certificateAnswer> | string;

/** JSON with the payload beside it, or with `Accept: application/jose` the bare JWS (RFC 7515 §9.2.1). Throws ApiError 409. */
export function answerCertificate(
  { certificate }: RequestRecord,
  accept: string | undefined,
  reply: FastifyReply,
): CertificateAnswer {
  if (certificate === null) throw new ApiError(409, 'The request is not completed: there is no certificate yet');
  void reply.header('vary', 'accept');
  if (accept?.toLowerCase().includes('application/jose')) {
    void reply.header('content-type', 'application/jose');
    return certificate;
  }
  const payload = Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString('utf8');
  return { certificate, payload: JSON.parse(payload) as Record<string, unknown> };
}
