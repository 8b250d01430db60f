import type { FastifyReply } from 'fastify';
import type { Begun } from './sessions.service.ts';

/** RFC 6265bis §4.1.3.2: a browser takes this name only from this host, for all its paths, over TLS. The gateway reads it. */
const NAME = '__Host-lethe-session';
/** Strict: another site's link or form brings none. Scripts never see it. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** `Set-Cookie` for a session just begun: the browser keeps it for as long as the session lasts. */
export function keepSession(reply: FastifyReply, { token, session }: Begun, now: number): void {
  const seconds = Math.floor((session.expiresAt.getTime() - now) / 1_000);
  void reply.header('set-cookie', `${NAME}=${token}; Max-Age=${seconds}; ${ATTRIBUTES}`);
}

/** Its session has ended. */
export function dropSession(reply: FastifyReply): void {
  void reply.header('set-cookie', `${NAME}=; Max-Age=0; ${ATTRIBUTES}`);
}
