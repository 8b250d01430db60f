import { databaseConfig } from '@lethe/database';
import { kafkaConfig, outboxConfig } from '@lethe/kafka';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

const DAY_MS = 86_400_000;
const host = z.string().regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'must be a host name');

export const config = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...outboxConfig,
  ...vaultConfig,
  ...publicUrlConfig,
  DOMAIN_VERIFICATION: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'off: a new domain is active at once, for development; on: it sends nothing until its DKIM key is found in the DNS',
    ),
  DNS_SERVERS: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((server) => server !== ''))
    .describe(
      'DNS servers asked for the records of domains, address:port separated by commas; empty: those of the system',
    ),
  SPF_RECORD: z
    .string()
    .startsWith('v=spf1 ')
    .optional()
    .describe('SPF record (RFC 7208) customers are told to publish; without it none is shown'),
  DMARC_RECORD: z
    .string()
    .startsWith('v=DMARC1')
    .default('v=DMARC1; p=none')
    .describe('DMARC record (RFC 7489) customers are told to publish; any policy of their own is as good'),
  TRACKING_HOST: host
    .optional()
    .describe('Host that the CNAME of a tracking domain is to lead to; without it none is shown'),
  SANDBOX_ZONE: host
    .optional()
    .describe(
      'Zone of the platform below which each account gets a sandbox domain, for mail to recipients it approved; without it there are none',
    ),
  SENDING_ADDRESSES: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((address) => address !== ''))
    .pipe(z.array(z.union([z.ipv4(), z.ipv6()], 'must be IP addresses')).max(1_000))
    .describe('IP addresses this installation sends from, separated by commas, as GET /v3/ips shows them'),
  INVITATION_LIFETIME_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(7 * DAY_MS)
    .default(3 * DAY_MS)
    .describe('How long the token of an invitation lets a user choose a password, in ms'),
  SESSION_IDLE_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(7 * DAY_MS)
    .default(DAY_MS / 2)
    .describe('How long a session lives that is not used, in ms'),
  SESSION_LIFETIME_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(29 * DAY_MS)
    .default(14 * DAY_MS)
    .describe('How long a session lives that is used, in ms'),
  OIDC_ISSUER: z
    .url()
    .refine((url) => /^https:|^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?:[:/]|$)/.test(url), 'must be https')
    .optional()
    .describe('Issuer of the OpenID provider at which users may sign in; without it they have passwords'),
  OIDC_CLIENT_ID: z.string().min(1).optional().describe('Id of this installation as a client of that provider'),
  OIDC_CLIENT_SECRET_FILE: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'File with the secret of this installation as a client of that provider', secret: true }),
  OPERATOR_SECOND_FACTOR: z
    .enum(['required', 'optional'])
    .default('required')
    .describe(
      'required: whoever runs the platform and signs in with a password alone can do nothing but set up an authenticator',
    ),
  MX_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((name) => name !== ''))
    .pipe(z.array(host).max(10))
    .describe('Exchangers that take mail for customers, separated by commas; without them no MX record is shown'),
});
export type AccountsConfig = z.infer<typeof config>;
