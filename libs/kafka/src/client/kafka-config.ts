import { z } from 'zod';

const count = (limit: number) => z.coerce.number().int().positive().max(limit);

/** Variables of every service that speaks to Kafka: spread into `defineConfig`. */
export const kafkaConfig = {
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .describe('Kafka brokers to start from, host:port, separated by commas'),
  KAFKA_USERNAME: z.string().optional().describe('SCRAM-SHA-512 user; no authentication without it'),
  KAFKA_PASSWORD: z.string().optional().meta({ description: 'Password of the SCRAM user', secret: true }),
  TOPIC_PREFIX: z
    .string()
    .regex(/^[\w.-]{0,60}$/)
    .default('')
    .describe('Put before every topic and group name; tests share a broker by it'),
  KAFKA_PUBLISH_WAIT_MS: count(600_000)
    .default(10_000)
    .describe('How long a publisher waits for the acknowledgement before it reports it as uncertain, in ms'),
  KAFKA_PUBLISH_QUEUE_RECORDS: count(1_000_000)
    .default(20_000)
    .describe('Records waiting to be sent, at most; more are refused'),
  KAFKA_PUBLISH_QUEUE_BYTES: count(1_073_741_824)
    .default(33_554_432)
    .describe('Bytes of records waiting to be sent, at most; more are refused'),
  KAFKA_DRAIN_MS: count(600_000)
    .default(5_000)
    .describe('How long handlers may finish their records when the service stops, in ms'),
};

export type KafkaConfig = z.output<z.ZodObject<typeof kafkaConfig>>;
