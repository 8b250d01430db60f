import { Behaviours } from './behaviour.ts';
import { startDnsServer } from './dns-server.ts';
import { startHttpServer } from './http-server.ts';
import { Mailbox } from './mailbox.ts';
import { startSmtpServer } from './smtp-server.ts';
import { Zone } from './zone.ts';

/** Of destination `n`, from 0. */
const addressOf = (n: number): string => `127.0.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`;

export interface WorldOptions {
  /** Ports on 127.0.0.1; 0 or none takes a free one. */
  smtpPort?: number;
  dnsPort?: number;
  httpPort?: number;
  /** Domains with an exchanger of their own, `mx.<domain>`, at a loopback address of its own: whoever sends tells servers apart by it. */
  destinations?: readonly string[];
  /** More addresses of loopback at which the SMTP server is, such as `127.0.0.11`; names for them are registered by whoever wants some. */
  smtpAddresses?: readonly string[];
  /** The domain the world's own names are under; its exchanger is `mx.<domain>`. */
  domain?: string;
  /** Bounds of what is kept; the oldest message goes first. */
  maxMessages?: number;
  maxBytes?: number;
  /** Largest single message (SIZE, RFC 1870), in bytes. */
  maxMessageBytes?: number;
  /** How long `greylist@` is refused after its first try. */
  greylistMs?: number;
  /** How long `slow@` waits before it answers RCPT and the final dot. */
  slowMs?: number;
}

export interface World {
  /** Base URL of the page and its API. */
  http: string;
  dns: { host: string; port: number };
  smtp: { host: string; port: number };
  domain: string;
  stop(): Promise<void>;
}

/**
 * Starts the SMTP world: a DNS server and a mail exchanger on loopback in which the local part of a recipient decides
 * what happens (see `Behaviours`), and an HTTP page that shows what arrived. Nothing is written to disk or asked of
 * any other machine.
 */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const domain = options.domain ?? 'world.example';
  const zone = new Zone(domain);
  const destinations = options.destinations ?? [];
  for (const [n, name] of destinations.entries()) {
    zone.register(name, 'MX', [`10 mx.${name}`]);
    zone.register(`mx.${name}`, 'A', [addressOf(n)]);
  }
  const mailbox = new Mailbox(options.maxMessages ?? 50_000, options.maxBytes ?? 256 * 1024 * 1024);
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(started.map((part) => part.stop()));
  };
  try {
    const smtp = await startSmtpServer({
      port: options.smtpPort ?? 0,
      addresses: [...destinations.map((_, n) => addressOf(n)), ...(options.smtpAddresses ?? [])],
      name: `mx.${domain}`,
      maxMessageBytes: options.maxMessageBytes ?? 64 * 1024 * 1024,
      slowMs: options.slowMs ?? 2_000,
      behaviours: new Behaviours(options.greylistMs ?? 1_000),
      mailbox,
    });
    started.push(smtp);
    const dns = await startDnsServer(zone, options.dnsPort ?? 0);
    started.push(dns);
    const http = await startHttpServer(
      { mailbox, stats: smtp.stats, moments: smtp.moments, zone },
      options.httpPort ?? 0,
    );
    started.push(http);
    return {
      http: http.url,
      dns: { host: dns.host, port: dns.port },
      smtp: { host: smtp.host, port: smtp.port },
      domain,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
