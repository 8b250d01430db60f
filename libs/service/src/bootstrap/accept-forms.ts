import multipart from '@fastify/multipart';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Mailgun's clients send multipart and urlencoded forms alike; both arrive as fields of the body. Files are refused. */
export async function acceptForms(app: NestFastifyApplication): Promise<void> {
  await app.register(multipart, {
    attachFieldsToBody: 'keyValues',
    limits: { files: 0, fields: 100, fieldSize: 16_384, parts: 100 },
  });
}
