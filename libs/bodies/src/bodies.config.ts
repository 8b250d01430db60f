import { StartupError } from '@lethe/service';
import { z } from 'zod';
import { PostgresBodyStore } from './postgres/postgres-body-store.ts';
import type { BucketOptions } from './s3/bucket.ts';
import { S3BodyStore } from './s3/s3-body-store.ts';
import type { BodyStore } from './store/body-store.ts';

/** The bucket, where bodies are kept in one. */
export const bucketConfig = {
  BODY_STORE: z
    .enum(['postgres', 's3'])
    .default('postgres')
    .describe(
      'Where bodies are kept: in the database of ingest, or in an S3-compatible bucket; the same for ingest and delivery',
    ),
  BODIES_S3_BUCKET: z.string().min(3).optional().describe('Name of the bucket, which nobody else uses'),
  BODIES_S3_ENDPOINT: z
    .url()
    .optional()
    .describe("URL of an S3-compatible server; without one it is Amazon's, in the region"),
  BODIES_S3_REGION: z.string().min(1).default('us-east-1').describe('Region of the bucket'),
  BODIES_S3_PATH_STYLE: z
    .stringbool()
    .default(false)
    .describe(
      'Whether the bucket is named in the path of a URL instead of its host, as most servers other than Amazon want',
    ),
  BODIES_S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Access key; without one, what the AWS SDK finds in the environment, such as the role of the pod'),
  BODIES_S3_SECRET_ACCESS_KEY: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Secret of the access key', secret: true }),
  BODIES_S3_REQUESTS: z.coerce.number().int().positive().default(32).describe('Requests to the bucket at once'),
};

/** Variables of a service that uses the body store. */
export const bodiesConfig = {
  ...bucketConfig,
  BODIES_URL: z.string().min(1).optional().meta({
    description: 'PostgreSQL URL of the body store (database of ingest), where that is what keeps bodies',
    secret: true,
  }),
  BODIES_CONNECTIONS: z.coerce
    .number()
    .int()
    .positive()
    .default(4)
    .describe('Connections to the body store in PostgreSQL'),
  BODIES_S3_ORPHAN_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(1_800_000)
    .describe(
      'Age at which a body in the bucket without a message is deleted, in milliseconds; more than a commit takes and clocks differ by',
    ),
};

export type BucketConfig = z.infer<z.ZodObject<typeof bucketConfig>>;
export type BodiesConfig = z.infer<z.ZodObject<typeof bodiesConfig>>;

/** @throws StartupError naming the variable that is missing for the store that was chosen. */
export function createBodyStore(config: BodiesConfig): BodyStore {
  if (config.BODY_STORE === 's3')
    return new S3BodyStore({ ...bucketOptions(config), orphanMs: config.BODIES_S3_ORPHAN_MS });
  const { BODIES_URL: url, BODIES_CONNECTIONS: connections } = config;
  if (url === undefined) throw missing('BODIES_URL', 'postgres');
  return new PostgresBodyStore({ url, connections });
}

/** @throws StartupError naming the variable that is missing. */
export function bucketOptions(config: BucketConfig): BucketOptions {
  const { BODIES_S3_ACCESS_KEY_ID: accessKeyId, BODIES_S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  if (config.BODIES_S3_BUCKET === undefined) throw missing('BODIES_S3_BUCKET', 's3');
  if (accessKeyId !== undefined && secretAccessKey === undefined) throw missing('BODIES_S3_SECRET_ACCESS_KEY', 's3');
  return {
    bucket: config.BODIES_S3_BUCKET,
    endpoint: config.BODIES_S3_ENDPOINT,
    region: config.BODIES_S3_REGION,
    pathStyle: config.BODIES_S3_PATH_STYLE,
    requests: config.BODIES_S3_REQUESTS,
    ...(accessKeyId !== undefined && secretAccessKey !== undefined
      ? { credentials: { accessKeyId, secretAccessKey } }
      : {}),
  };
}

const missing = (name: string, store: string): StartupError =>
  new StartupError(`${name}: missing, and BODY_STORE is ${store}. Set it.`);
