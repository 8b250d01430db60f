import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** @returns a function that runs one piece of work with a connected administrator and disconnects it. */
export function kafkaAdmin(brokers: readonly string[], { username, password }: Credentials) {
  const kafka = new Kafka({
    clientId: 'provisioning',
    brokers: [...brokers],
    sasl: { mechanism: 'scram-sha-512', username, password },
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 2 },
  });
  return async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
}
