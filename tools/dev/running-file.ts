import { renameSync, writeFileSync } from 'node:fs';

/** What `.lethe/running.json` says to tools and tests; null until served. */
export interface Running {
  gateway: string | null;
  apiKey: string | null;
  privacyKey: string | null;
  operatorToken: string | null;
  domain: string | null;
  submission: {
    host: string;
    port: number;
    tlsPort: number;
    user: string;
    password: string;
    certificate: string;
  } | null;
  inbound: { host: string; port: number } | null;
  kafka: { brokers: string[] } | null;
  elasticsearch: string | null;
  world: { http: string; dns: string | null; domain: string } | null;
  data: string[];
  logs: string[];
  pids: Record<string, number>;
}

export const NOTHING_RUNNING: Running = {
  gateway: null,
  apiKey: null,
  privacyKey: null,
  operatorToken: null,
  domain: null,
  submission: null,
  inbound: null,
  kafka: null,
  elasticsearch: null,
  world: null,
  data: [],
  logs: [],
  pids: {},
};

/** Replaced whole, so a reader never sees half of it. */
export function writeRunning(file: string, running: Running): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
