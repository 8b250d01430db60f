import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { UNTRUSTED } from '../proxy/headers.ts';
import { Door } from './door.ts';

/** Puts the routing table before Nest's own routes (health, the document), and safe headers before every answer. */
export async function openDoor(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(UNTRUSTED);
    done();
  });
  await app.get(Door).open(fastify);
}
