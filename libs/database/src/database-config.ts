import { z } from 'zod';

/** Variables of a service that owns a database; spread into `defineConfig`. */
export const databaseConfig = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(?:ql)?$/ })
    .meta({ description: "URL of the service's own PostgreSQL database", secret: true }),
  DATABASE_POOL_SIZE: z.coerce
    .number()
    .int()
    .positive()
    .default(8)
    .describe('Most connections to the database at once'),
  DATABASE_CONNECT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(3000)
    .describe('Longest wait for a free connection, in milliseconds'),
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(15_000)
    .describe('Longest time one statement may run, in milliseconds'),
};

export type DatabaseConfig = z.infer<z.ZodObject<typeof databaseConfig>>;
