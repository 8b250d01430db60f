import { z } from 'zod';

/** Variables of a service that uses Elasticsearch; spread into `defineConfig`. */
export const searchConfig = {
  ELASTICSEARCH_URL: z
    .url({ protocol: /^https?$/ })
    .meta({ description: 'URL of Elasticsearch, 8.x or 9.x', secret: true }),
  ELASTICSEARCH_API_KEY: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'API key for Elasticsearch, encoded; none when security is off', secret: true }),
  ELASTICSEARCH_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('Longest wait for an answer of Elasticsearch, in milliseconds'),
  INDEX_PREFIX: z
    .string()
    .regex(/^(?:[a-z][a-z0-9-]*)?$/, 'lower-case letters, digits and hyphens')
    .default('lethe-')
    .describe('What the name of every index and template begins with'),
};

export type SearchConfig = z.infer<z.ZodObject<typeof searchConfig>>;
