import { databaseConfig } from '@lethe/database';
import { kafkaConfig, outboxConfig } from '@lethe/kafka';
import { defineConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';

export const config = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...outboxConfig,
  ...vaultConfig,
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
    .describe('DNS servers asked for DKIM records, address:port separated by commas; empty: those of the system'),
  SPF_RECORD: z
    .string()
    .startsWith('v=spf1 ')
    .optional()
    .describe('SPF record (RFC 7208) customers are told to publish; without it none is shown'),
});
export type AccountsConfig = z.infer<typeof config>;
