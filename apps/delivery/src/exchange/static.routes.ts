import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EntriesFile } from '../settings/entries.file.ts';
import { mostSpecific } from '../settings/most-specific.ts';
import type { Login } from '../smtp/smtp-options.ts';

/** Where the operator sends mail of some domains, or how it has to be secured on its way. */
export interface StaticRoute {
  /** What it is for; no other has the same. */
  match: string;
  /** In order; none: to the exchangers that DNS names. */
  hosts: { host: string; port: number }[] | undefined;
  /** `verified`: by an authority that is trusted, in the host's name. */
  tls: 'none' | 'opportunistic' | 'verified';
  /** Whether a host may be at an address that is not public. */
  allowPrivate: boolean;
  login?: Login;
}

const DOMAIN = /^\.?(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$|^\*$/;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/;

const entry = z.strictObject({
  match: z
    .string()
    .toLowerCase()
    .regex(DOMAIN, 'must be a domain, `.` and a domain for all below it, or `*` for the rest'),
  hosts: z.array(z.string().regex(HOST, 'must be host or host:port')).min(1).max(5).optional(),
  port: z.int().min(1).max(65_535).default(25),
  tls: z.enum(['none', 'opportunistic', 'verified']).default('opportunistic'),
  allowPrivate: z.boolean().default(false),
  login: z.strictObject({ username: z.string().min(1), passwordFile: z.string().min(1) }).optional(),
});
type Entry = z.infer<typeof entry>;
const FILE = new EntriesFile('OUTBOUND_ROUTE', entry, 'entry', 'routes', 10_000);

/** Routes by what they match. */
export class StaticRoutes {
  constructor(private readonly routes: ReadonlyMap<string, StaticRoute>) {}

  /** The route that says most about the domain: its own, that of the longest name above it, or the one for the rest. */
  find(domain: string): StaticRoute | undefined {
    return mostSpecific(this.routes, domain.toLowerCase()) ?? this.routes.get('*');
  }
}

/**
 * Reads `OUTBOUND_ROUTE`: `mx`, the one host for all mail, or a file of routes. Throws StartupError naming what is wrong where.
 */
export function readRoutes(setting: string): StaticRoutes {
  if (setting === 'mx') return new StaticRoutes(new Map());
  if (setting.startsWith('smtp:')) {
    const { host } = new URL(setting);
    // The operator names the one host there is: it may stand beside us.
    return new StaticRoutes(new Map([['*', routeOf(entry.parse({ match: '*', hosts: [host], allowPrivate: true }))]]));
  }
  const routes = new Map<string, StaticRoute>();
  for (const { data, at } of FILE.read(setting)) {
    if (routes.has(data.match)) throw FILE.wrong(`${at}: match: an entry above has the same`);
    if (data.login && (!data.hosts || data.tls !== 'verified')) {
      throw FILE.wrong(`${at}: login: needs hosts, and tls verified: it would be told to anybody`);
    }
    routes.set(data.match, routeOf(data, at));
  }
  return new StaticRoutes(routes);
}

function routeOf({ match, hosts, port, tls, allowPrivate, login }: Entry, at = ''): StaticRoute {
  return {
    match,
    hosts: hosts?.map((text) => {
      const [, host = '', own] = HOST.exec(text) ?? [];
      return { host: host.replaceAll(/[[\]]/g, ''), port: Number(own ?? port) };
    }),
    tls,
    allowPrivate,
    ...(login ? { login: { username: login.username, password: passwordIn(login.passwordFile, at) } } : {}),
  };
}

function passwordIn(file: string, at: string): string {
  try {
    const password = readFileSync(file, 'utf8').trimEnd();
    if (password !== '') return password;
  } catch {
    // Said below.
  }
  throw FILE.wrong(`${at}: login.passwordFile: there is no password to be read`);
}
