import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Bodies of every type stay streams (with `bodyParser: false`): forms are read by `readForm` within the memory budget, not by the framework before it. */
export function rawBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null));
}
