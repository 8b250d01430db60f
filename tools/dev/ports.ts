import { SERVICES, type Service } from '@lethe/contracts';
import { requireFree, type StorePorts } from '@lethe/testing';

/** First of the ports `npm start` uses; another one with `LETHE_PORT`. */
export function basePort(): number {
  const text = process.env['LETHE_PORT'] ?? '8080';
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1_024 || port > 65_000) {
    throw new Error('LETHE_PORT must be a port number from 1024 to 65000');
  }
  return port;
}

/** The gateway has the base port itself, the other services those after it. */
export function servicePorts(): Record<Service, number> {
  return Object.fromEntries(SERVICES.map((service, index) => [service, basePort() + index])) as Record<Service, number>;
}

export interface DemoPorts {
  readonly stores: StorePorts;
  readonly dns: number;
  readonly smtp: number;
  readonly worldHttp: number;
  /** Where mail is taken by SMTP: STARTTLS, TLS. */
  readonly submission: number;
  readonly submissionTls: number;
}

/** docker-compose.yml publishes the same ones by default. */
export function demoPorts(): DemoPorts {
  const first = basePort() + 20;
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
    submission: first + 9,
    submissionTls: first + 10,
  };
}

/** Asks for all of them before anything starts, and names every one that is taken. */
export async function requireFreePorts(): Promise<void> {
  const { stores, smtp, worldHttp, submission, submissionTls } = demoPorts();
  const wanted = {
    ...servicePorts(),
    ...stores,
    'the SMTP world': smtp,
    "the SMTP world's page": worldHttp,
    'submission by SMTP': submission,
    'submission by SMTP over TLS': submissionTls,
  };
  const asked = Object.entries(wanted).map(([name, port]) =>
    requireFree(port, name).then(
      () => null,
      () => `${port} (${name})`,
    ),
  );
  const taken = (await Promise.all(asked)).filter((one) => one !== null);
  if (taken.length > 0) throw new PortsTakenError(taken);
}

export class PortsTakenError extends Error {
  constructor(ports: readonly string[]) {
    super(
      `${ports.length > 1 ? 'Ports' : 'Port'} ${ports.join(', ')} ${ports.length > 1 ? 'are' : 'is'} taken by another program. ` +
        `End it, or use other ports (${basePort()} to ${basePort() + 30} are used now): LETHE_PORT=9080 npm start`,
    );
  }
}
