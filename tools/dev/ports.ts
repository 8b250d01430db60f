import { SERVICES, type Service } from '@lethe/contracts';
import type { StorePorts } from '@lethe/testing';

/** First of the ports `npm start` uses; another one with `LETHE_PORT`. */
function base(): number {
  const text = process.env['LETHE_PORT'] ?? '8080';
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1_024 || port > 65_000) {
    throw new Error('LETHE_PORT must be a port number from 1024 to 65000');
  }
  return port;
}

/** The gateway has the base port itself, the other services those after it. */
export function servicePorts(): Record<Service, number> {
  return Object.fromEntries(SERVICES.map((service, index) => [service, base() + index])) as Record<Service, number>;
}

export interface DemoPorts {
  readonly stores: StorePorts;
  readonly dns: number;
  readonly smtp: number;
  readonly worldHttp: number;
}

export function demoPorts(): DemoPorts {
  const first = base() + 20;
  return {
    stores: {
      kafka: first,
      kafkaController: first + 1,
      elasticsearch: first + 2,
      elasticsearchTransport: first + 3,
      postgres: first + 4,
      vault: first + 5,
    },
    dns: first + 6,
    smtp: first + 7,
    worldHttp: first + 8,
  };
}
