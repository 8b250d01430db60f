import { bodiesConfig } from '@lethe/bodies';
import { databaseConfig } from '@lethe/database';
import { kafkaConfig, outboxConfig } from '@lethe/kafka';
import { defineConfig, publicUrlConfig } from '@lethe/service';
import { vaultConfig } from '@lethe/vault';
import { z } from 'zod';
import { smtpConfig } from './smtp/smtp.config.ts';

const MIB = 1024 * 1024;
const positive = z.coerce.number().int().positive();

export const ingestConfig = defineConfig({
  ...databaseConfig,
  ...kafkaConfig,
  ...outboxConfig,
  ...vaultConfig,
  ...bodiesConfig,
  ...smtpConfig,
  DATABASE_STATEMENT_TIMEOUT_MS: databaseConfig.DATABASE_STATEMENT_TIMEOUT_MS.default(7_000).describe(
    'Longest time one statement may run, in milliseconds: whoever hands a message in waits for it',
  ),
  ...publicUrlConfig,
  DESTINATION_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .meta({
      description: 'Key of the hash that maps a destination to its partition; the same in every replica',
      secret: true,
    }),
  MESSAGE_MAX_BYTES: positive.default(25 * MIB).describe('Largest message, in octets'),
  FORM_MAX_PARTS: positive.default(4_000).describe('Most fields and files in one form'),
  BYTES_IN_FLIGHT: positive
    .default(192 * MIB)
    .describe(
      'Memory for requests being read or committed, in octets, of which one account has seven eighths at most; beyond it requests wait, then get 503',
    ),
  REQUESTS_WAITING: positive.default(1_000).describe('Requests that wait for memory at most'),
  STORED_BYTES_IN_FLIGHT: positive
    .default(160 * MIB)
    .describe('Memory for stored messages being shown, in octets; beyond it requests wait, then get 503'),
  STORED_SEND_MS: positive
    .default(60_000)
    .describe('How long a client may take for a stored message that it asked for, in milliseconds'),
  STORED_FORGET_MS: positive
    .default(1_000)
    .describe('How often content keys of removed stored messages are given up, in milliseconds'),
  MESSAGE_EXPIRY_MS: positive
    .default(24 * 3_600_000)
    .describe(
      'How long delivery is tried, in milliseconds, where a domain says nothing; never past the life of body and envelope',
    ),
  COMMIT_MAX_MESSAGES: positive.default(200).describe('Most messages that share one transaction'),
  COMMIT_LINGER_MS: z.coerce
    .number()
    .min(0)
    .max(50)
    .default(0)
    .describe('How long a commit waits for company, in milliseconds'),
  LISTS_MAX: positive.default(1_000).describe('Most mailing lists of an account'),
  LIST_MAX_MEMBERS: positive.default(100_000).describe('Most members of a mailing list'),
  LIST_MAX_RECIPIENTS: positive
    .default(5_000)
    .describe('Most recipients of a message, those that mailing lists lead to among them'),
  LIST_IMPORT_MAX_BYTES: positive
    .default(5 * MIB)
    .describe('Largest file of members, in octets; it is held in memory while they are added'),
  LIST_IMPORT_MAX_MEMBERS: positive
    .default(20_000)
    .describe('Most members in a file: they are added before the answer, which clients wait for'),
  TEMPLATES_MAX: positive.default(100).describe('Most templates of a domain'),
  TEMPLATE_MAX_BYTES: positive.default(100 * 1024).describe('Largest version of a template, in octets'),
  TEMPLATE_RENDERED_MAX_BYTES: positive
    .default(1 * MIB)
    .describe('Most that a template may become in one message, in octets'),
  TEMPLATE_MAX_STEPS: positive
    .default(50_000)
    .describe('Most tags, blocks and turns of loops that one message may take to render'),
  TEMPLATES_CACHED_BYTES: positive.default(16 * MIB).describe('Memory for templates that are read already, in octets'),
  RETENTION_WORK_MS: positive
    .default(60_000)
    .describe('How often messages and bodies past their time are removed, in milliseconds'),
  RETENTION_SHORTENED_MS: positive
    .max(24 * 3_600_000)
    .default(3_600_000)
    .describe('How often messages are looked for that are older than their domain keeps bodies now, in milliseconds'),
});
export type IngestConfig = z.infer<typeof ingestConfig>;
