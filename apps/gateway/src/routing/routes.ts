import type { Scope, Service, SessionScope } from '@lethe/contracts';
import type { HTTPMethods } from 'fastify';

/**
 * What a caller must hold. `operator` and `operator:read` belong to whoever runs the platform and are in no API key; `session`: every
 * user who is signed in; `none`: open to everybody.
 */
export type Permission = SessionScope | 'none';
export type Upstream = Extract<Service, 'accounts' | 'ingest' | 'delivery' | 'events' | 'suppression' | 'privacy'>;

export interface Route {
  /** `:domain` is checked against the caller's domains; a final `*` stands for any further segments, or none. */
  readonly paths: readonly string[];
  readonly methods: readonly HTTPMethods[];
  readonly service: Upstream;
  readonly permission: Permission;
  /** What must be held besides. */
  readonly also?: Scope;
  /** A browser asks for it on behalf of no other site's page; what needs a session is so by itself. */
  readonly ownPages?: true;
}

/** GET brings HEAD with it. */
const READ: readonly HTTPMethods[] = ['GET'];
const WRITE: readonly HTTPMethods[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Everything the door leads to. A fixed segment goes before `:domain`, whatever the order here. */
export const ROUTES: readonly Route[] = [
  { paths: ['/v3/domains/*', '/v4/domains/*'], methods: READ, service: 'accounts', permission: 'domains:read' },
  { paths: ['/v3/domains/*', '/v4/domains/*'], methods: WRITE, service: 'accounts', permission: 'domains:write' },
  { paths: ['/v1/dkim/keys/*'], methods: READ, service: 'accounts', permission: 'domains:read' },
  { paths: ['/v1/dkim/keys/*'], methods: WRITE, service: 'accounts', permission: 'domains:write' },
  { paths: ['/v3/ips'], methods: READ, service: 'accounts', permission: 'domains:read' },
  { paths: ['/v1/keys/*'], methods: READ, service: 'accounts', permission: 'keys:read' },
  { paths: ['/v1/keys/*'], methods: WRITE, service: 'accounts', permission: 'keys:write' },
  { paths: ['/v5/sandbox/auth_recipients/*'], methods: READ, service: 'accounts', permission: 'domains:read' },
  { paths: ['/v5/sandbox/auth_recipients/*'], methods: WRITE, service: 'accounts', permission: 'domains:write' },
  { paths: ['/v5/accounts/limit/custom/monthly'], methods: READ, service: 'ingest', permission: 'account:read' },
  {
    paths: ['/v5/accounts/limit/custom/monthly'],
    methods: ['PUT', 'DELETE'],
    service: 'accounts',
    permission: 'account:write',
  },
  { paths: ['/v5/accounts/subaccounts/*'], methods: READ, service: 'accounts', permission: 'account:read' },
  { paths: ['/v5/accounts/subaccounts/*'], methods: WRITE, service: 'accounts', permission: 'account:write' },
  {
    paths: ['/v5/accounts/subaccounts/:id/limit/custom/monthly'],
    methods: READ,
    service: 'ingest',
    permission: 'account:read',
  },
  { paths: ['/v1/allowed_senders/*'], methods: READ, service: 'accounts', permission: 'account:read' },
  { paths: ['/v1/allowed_senders/*'], methods: WRITE, service: 'accounts', permission: 'account:write' },
  { paths: ['/v1/accounts/*'], methods: READ, service: 'accounts', permission: 'operator:read' },
  { paths: ['/v1/accounts/*'], methods: WRITE, service: 'accounts', permission: 'operator' },
  { paths: ['/v1/users/*'], methods: READ, service: 'accounts', permission: 'users:read' },
  { paths: ['/v1/users/*'], methods: WRITE, service: 'accounts', permission: 'users:write' },
  // Who was invited proves it with the token they were given, who signs in with a password, or at the provider.
  {
    paths: [
      '/v1/users/invitation',
      '/v1/users/invitation/provider',
      '/v1/sessions',
      '/v1/sessions/provider',
      '/v1/sessions/provider/answer',
    ],
    methods: ['POST'],
    service: 'accounts',
    permission: 'none',
    ownPages: true,
  },
  { paths: ['/v1/users/me/*'], methods: [...READ, ...WRITE], service: 'accounts', permission: 'session' },
  { paths: ['/v1/sessions'], methods: ['GET', 'DELETE'], service: 'accounts', permission: 'session' },
  { paths: ['/v1/sessions/:id'], methods: ['PUT', 'DELETE'], service: 'accounts', permission: 'session' },
  { paths: ['/v1/accounts/:id/closing/*'], methods: READ, service: 'privacy', permission: 'operator:read' },
  // Whoever was given a certificate checks it by itself; nobody needs an account for the keys.
  { paths: ['/.well-known/jwks.json'], methods: READ, service: 'privacy', permission: 'none' },
  // Whoever has the link was sent it. Looking at it changes nothing; mail servers and people post.
  { paths: ['/unsubscribe/:link'], methods: ['GET', 'POST'], service: 'suppression', permission: 'none' },
  { paths: ['/v1/privacy/certificates/verify'], methods: ['POST'], service: 'privacy', permission: 'privacy:read' },
  { paths: ['/v1/privacy/retention/settings'], methods: READ, service: 'accounts', permission: 'privacy:read' },
  { paths: ['/v1/privacy/retention/settings'], methods: ['PUT'], service: 'accounts', permission: 'privacy:write' },
  { paths: ['/v1/privacy/retention/instructions'], methods: READ, service: 'accounts', permission: 'operator:read' },
  {
    paths: ['/v1/privacy/retention/instructions', '/v1/privacy/retention/instructions/:id/end'],
    methods: ['POST'],
    service: 'accounts',
    permission: 'operator',
  },
  { paths: ['/v1/privacy/*'], methods: READ, service: 'privacy', permission: 'privacy:read' },
  { paths: ['/v1/privacy/*'], methods: WRITE, service: 'privacy', permission: 'privacy:write' },
  {
    paths: ['/v3/:domain/messages', '/v3/:domain/messages.mime'],
    methods: ['POST'],
    service: 'ingest',
    permission: 'messages:write',
  },
  { paths: ['/v3/domains/:domain/messages/*'], methods: READ, service: 'ingest', permission: 'messages:read' },
  // To send a stored message to anybody is to read it.
  {
    paths: ['/v3/domains/:domain/messages/*'],
    methods: ['POST', 'DELETE'],
    service: 'ingest',
    permission: 'messages:write',
    also: 'messages:read',
  },
  { paths: ['/v3/lists/*'], methods: READ, service: 'ingest', permission: 'lists:read' },
  { paths: ['/v3/lists/*'], methods: WRITE, service: 'ingest', permission: 'lists:write' },
  { paths: ['/v3/domains/:domain/sending_queues'], methods: READ, service: 'delivery', permission: 'domains:read' },
  // More than to send: whoever can do that alone shall not call back what others have sent.
  {
    paths: ['/v3/:domain/envelopes'],
    methods: ['DELETE'],
    service: 'delivery',
    permission: 'messages:write',
    also: 'messages:read',
  },
  {
    paths: ['/v1/pauses/domains/:domain'],
    methods: ['PUT', 'DELETE'],
    service: 'delivery',
    permission: 'domains:write',
  },
  { paths: ['/v1/pauses/*'], methods: ['GET', 'PUT', 'DELETE'], service: 'delivery', permission: 'operator' },
  { paths: ['/v3/:domain/templates/*'], methods: READ, service: 'ingest', permission: 'templates:read' },
  { paths: ['/v3/:domain/templates/*'], methods: WRITE, service: 'ingest', permission: 'templates:write' },
  { paths: ['/v3/:domain/events/*'], methods: READ, service: 'events', permission: 'events:read' },
  { paths: ['/v3/:domain/bounces/*'], methods: READ, service: 'suppression', permission: 'suppressions:read' },
  { paths: ['/v3/:domain/bounces/*'], methods: WRITE, service: 'suppression', permission: 'suppressions:write' },
];

/** `/v1/keys/*` as the router knows it: the collection itself, and what is below it. */
export const patternsOf = (path: string): string[] => (path.endsWith('/*') ? [path.slice(0, -2), path] : [path]);
