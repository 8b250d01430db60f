import { z } from 'zod';

/** Variables of a service with an outbox: spread into `defineConfig`. */
export const outboxConfig = {
  OUTBOX_MAX_GROUPS: z.coerce
    .number()
    .int()
    .positive()
    .max(1_000_000)
    .default(20_000)
    .describe('Committed changes that may wait for Kafka; beyond it new ones get 503'),
};

export type OutboxConfig = z.output<z.ZodObject<typeof outboxConfig>>;
