import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Door } from './door.ts';

/** Puts the routing table before Nest's own routes (health). */
export async function openDoor(app: NestFastifyApplication): Promise<void> {
  await app.get(Door).open(app.getHttpAdapter().getInstance());
}
