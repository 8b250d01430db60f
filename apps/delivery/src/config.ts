import { bodiesConfig } from '@lethe/bodies';
import { databaseConfig } from '@lethe/database';
import { kafkaConfig } from '@lethe/kafka';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';
import { isReturnPathHost } from './compose/return.paths.ts';
import { parseDelays } from './deferred/retry.policy.ts';
import { parseServers } from './dns/dns.transport.ts';

const milliseconds = (fallback: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().positive().max(86_400_000).default(fallback);
const count = (fallback: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().positive().default(fallback);

/** Where mail goes. */
const route = {
  OUTBOUND_ROUTE: z
    .union([z.literal('mx'), z.url({ protocol: /^smtp$/ }), z.string().startsWith('/')])
    .default('mx')
    .describe(
      '`mx`: to the exchangers DNS names; `smtp://host:port`: all mail to that host; `/path`: a JSON file of routes by domain',
    ),
  OUTBOUND_ALLOW: z
    .enum(['loopback', 'any'])
    .default('loopback')
    .describe(
      '`loopback`: a server at any other address is never contacted and its mail waits; `any`: mail leaves, to public addresses alone unless a route allows others',
    ),
  SMTP_PORT: z.coerce.number().int().min(1).max(65_535).default(25).describe('TCP port of mail exchangers'),
  DNS_SERVERS: z
    .string()
    .default('')
    .refine((list) => parseServers(list) !== undefined, 'must be a list of address or address:port, with commas')
    .describe('DNS servers for exchangers, `address[:port]`, separated by commas; none: those of the system'),
  DNS_TIMEOUT_MS: milliseconds(5_000).describe('How long a DNS server may take, in milliseconds'),
  DNS_CONCURRENCY: count(256).describe('Questions to DNS servers at once; others wait'),
  DNS_VALIDATES: z
    .stringbool()
    .default(false)
    .describe(
      'Whether the DNS servers validate DNSSEC and nobody is between them and us (best: one on this host), so that DANE can rest on what they say; else there is no DANE',
    ),
  MX_CACHE_MS: milliseconds(300_000).describe('How long the exchangers of a domain are remembered, in milliseconds'),
  MX_CACHE_ENTRIES: count(10_000).describe('Domains whose exchangers are remembered at most'),
  IP_POOLS: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Which of our addresses whose mail leaves from, and how new ones are warmed up: a JSON file'),
  EHLO_NAME: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$|^\[[0-9A-Fa-f.:]+\]$/)
    .default('localhost')
    .describe('Our name in EHLO and Received: a public name that resolves to the sending address'),
  RETURN_PATH_HOST: z
    .string()
    .toLowerCase()
    .refine(isReturnPathHost, 'must be a host name in ASCII, in which `{domain}` may stand for labels')
    .optional()
    .describe(
      'Where bounces that come later are sent to: a host name, in which `{domain}` stands for the sending domain; none: to the sender',
    ),
  RETURN_PATH_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .optional()
    .meta({
      description:
        'Key that addresses at `RETURN_PATH_HOST` are made with, which needs it; the same in every replica, for as long as bounces are read',
      secret: true,
    }),
};

/** Whom to trust, and what domains ask of those who send to them. */
const trust = {
  TRUSTED_CA_FILE: z
    .string()
    .optional()
    .describe(
      'Certification authorities that exchangers and policy hosts are trusted by besides the public ones, a PEM file',
    ),
  MTA_STS_PORT: z.coerce.number().int().min(1).max(65_535).default(443).describe('TCP port of MTA-STS policy hosts'),
  MTA_STS_TIMEOUT_MS: milliseconds(5_000).describe('How long fetching a policy may take, in milliseconds'),
  MTA_STS_REFRESH_MS: milliseconds(86_400_000).describe(
    'How often kept policies are fetched again, in milliseconds; sooner when half of their time is over',
  ),
  MTA_STS_POLICIES: count(100_000).describe('Policies that are kept; of more, those unused longest go'),
};

/** How servers are spoken to. */
const smtp = {
  SMTP_CONNECTIONS: count(500).describe(
    'SMTP sessions at once, in all; where several sites have some, one gets none beyond as many as are left',
  ),
  SMTP_CONNECTIONS_PER_EXCHANGER: count(20).describe(
    'SMTP sessions at once to one exchanger, of all processes together, where nothing else is known of it',
  ),
  SMTP_WAITING_PER_EXCHANGER: count(1_000).describe('Deliveries that may wait for a session to one exchanger'),
  SMTP_WAIT_MS: milliseconds(2_000).describe(
    'How long a delivery may wait for a session, in milliseconds; one that would wait longer is put back for a moment',
  ),
  SMTP_MESSAGES_PER_CONNECTION: count(1_000).describe(
    'Messages over one SMTP session where nothing else is known of its exchanger; then it is closed',
  ),
  SHAPING: z
    .string()
    .startsWith('/')
    .optional()
    .describe('What exchangers take besides what is known of large providers: a JSON file'),
  SMTP_IDLE_MS: milliseconds(10_000).describe('How long an unused SMTP session is kept, in milliseconds'),
  SMTP_CONNECT_TIMEOUT_MS: milliseconds(30_000).describe('How long connecting may take, in milliseconds'),
  SMTP_GREETING_TIMEOUT_MS: milliseconds(300_000).describe('How long a greeting may take, in milliseconds'),
  SMTP_COMMAND_TIMEOUT_MS: milliseconds(300_000).describe('How long a reply to a command may take, in milliseconds'),
  SMTP_CONTENT_TIMEOUT_MS: milliseconds(600_000).describe('How long sending a content may take, in milliseconds'),
  SMTP_FINAL_DOT_TIMEOUT_MS: milliseconds(600_000).describe(
    'How long the reply to a content may take, in milliseconds; too short makes duplicates (RFC 1047)',
  ),
};

/** How much at once, and when again. */
const work = {
  DELIVERY_CONCURRENCY: count(128).describe('Accepted records worked on at once'),
  RETRY_CONCURRENCY: count(64).describe('Deferred deliveries worked on at once'),
  RETRY_DELAYS: z
    .string()
    .default('1m,5m,15m,30m,1h,2h,4h')
    .refine((text) => parseDelays(text) !== undefined, 'must be a list such as 1m,30m,2h (units ms, s, m, h)')
    .describe('Time between attempts, with ±20 % at random; the last one repeats until the message expires'),
  RETRY_POLL_MS: milliseconds(500).describe('How often due deliveries are looked for, in milliseconds'),
  SUSPENDED_RECHECK_MS: milliseconds(60_000).describe(
    'How often mail of a suspended account is looked at again, in milliseconds: so late it may go on when that is lifted',
  ),
  RETRY_LEASE_MS: milliseconds(30_000).describe(
    'For how long a claimed delivery stays ours if this process dies, in milliseconds; it is renewed while it lasts',
  ),
  MESSAGE_CACHE_BYTES: count(67_108_864).describe(
    'Composed and signed messages kept for their next recipients, in bytes; as much again for those of which each recipient gets their own, and for those made seven bits',
  ),
  LARGE_MESSAGES_BYTES: count(134_217_728).describe('Memory for messages over 64 KiB that are under way, in bytes'),
  SHRED_POLL_MS: milliseconds(1_000).describe(
    'How often content keys of messages with a retention of 0 are given up that have no recipient left, in milliseconds',
  ),
  RETENTION_WORK_MS: milliseconds(60_000).describe(
    'How often deliveries older than they may be are looked for, in milliseconds',
  ),
};

/** This service's own variables: README.md says the same. */
export const ownConfig = { ...route, ...trust, ...smtp, ...work };
export const config = defineConfig({
  ...kafkaConfig,
  ...databaseConfig,
  ...vaultConfig,
  ...bodiesConfig,
  ...publicUrlConfig,
  ...ownConfig,
}).refine(({ RETURN_PATH_HOST: host, RETURN_PATH_KEY: key }) => host === undefined || key !== undefined, {
  path: ['RETURN_PATH_KEY'],
});
export type DeliveryConfig = z.infer<typeof config>;
