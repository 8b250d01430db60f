/** RFC 6265bis §4.1.3.2: a browser takes this name only from this host, for all its paths, over TLS. The gateway reads it. */
const NAME = '__Host-lethe-session';
/** Strict: another site's link or form brings none. Scripts never see it. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** `Set-Cookie` for a session just begun. */
export const sessionCookie = (token: string, expiresAt: Date, now: number): string =>
  `${NAME}=${token}; Max-Age=${Math.floor((expiresAt.getTime() - now) / 1_000)}; ${ATTRIBUTES}`;

export const noSessionCookie = `${NAME}=; Max-Age=0; ${ATTRIBUTES}`;
