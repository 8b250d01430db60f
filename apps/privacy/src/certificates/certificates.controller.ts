import { Operation, Public, type Answer } from '@lethe/service';
import { Body, Controller, Get, Header, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { CertificateService } from './certificate.service.ts';
import { jwks, type PublicJwk } from './jwks.ts';

/** Anything that is text gets a verdict, whatever it holds. */
const given = z.strictObject({ certificate: z.string('is missing: a certificate as compact JWS') });

/** `payload` is that of the certificate, as it was given. */
const verdictShape = z.object({
  valid: z.boolean(),
  reason: z.string().nullable(),
  payload: z.unknown(),
});

@Controller()
export class CertificatesController {
  constructor(private readonly certificates: CertificateService) {}

  @Operation('Verify a certificate of erasure', { answer: verdictShape, takes: ['application/json'] })
  @Post('v1/privacy/certificates/verify')
  @HttpCode(200)
  verify(@Body({ schema: given }) { certificate }: z.infer<typeof given>): Promise<Answer<typeof verdictShape>> {
    return this.certificates.verify(certificate);
  }

  /** For whoever was shown a certificate; nobody needs an account for it. Who meets a `kid` that is not in a cached list asks again. */
  @Operation('The public keys that certificates are signed with', { answers: ['application/jwk-set+json'] })
  @Public()
  @Get('.well-known/jwks.json')
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=300')
  async keys(): Promise<{ keys: PublicJwk[] }> {
    return jwks(await this.certificates.publicKeys());
  }
}
