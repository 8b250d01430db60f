import { getServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, Log } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { DaneResolver } from '../dane/dane.resolver.ts';
import { DnsClient } from '../dns/dns.client.ts';
import { parseServers } from '../dns/dns.transport.ts';
import { MxResolver } from '../dns/mx.resolver.ts';
import { IpPools, readPools } from '../pools/ip.pools.ts';
import { assertOwn } from '../pools/own.addresses.ts';
import { WarmUpService } from '../pools/warm-up.service.ts';
import { readShaping } from '../shaping/shaping.rules.ts';
import { SlotLocks } from '../shaping/slot.locks.ts';
import { SmtpPool } from '../smtp/smtp-pool.ts';
import { StsFetcher } from '../sts/sts.fetcher.ts';
import { StsRepository } from '../sts/sts.repository.ts';
import { StsService } from '../sts/sts.service.ts';
import { StsWorker } from '../sts/sts.worker.ts';
import { allowedAddress } from '../dns/address.guard.ts';
import { ExchangeService } from './exchange.service.ts';
import { RouteService } from './route.service.ts';
import { readRoutes } from './static.routes.ts';

/** The authorities that exchangers and policy hosts are trusted by. */
const trust = ({ TRUSTED_CA_FILE: file }: DeliveryConfig): SecureContext =>
  createSecureContext(file === undefined ? {} : { ca: [...getCACertificates('default'), readFileSync(file)] });

const pool = (config: DeliveryConfig, trusted: SecureContext, slots: SlotLocks): SmtpPool => {
  const rules = readShaping(config.SHAPING, {
    sessions: config.SMTP_CONNECTIONS_PER_EXCHANGER,
    messagesPerSession: config.SMTP_MESSAGES_PER_CONNECTION,
  });
  return new SmtpPool(
    {
      helo: config.EHLO_NAME,
      trust: trusted,
      timeouts: {
        connect: config.SMTP_CONNECT_TIMEOUT_MS,
        greeting: config.SMTP_GREETING_TIMEOUT_MS,
        command: config.SMTP_COMMAND_TIMEOUT_MS,
        content: config.SMTP_CONTENT_TIMEOUT_MS,
        finalDot: config.SMTP_FINAL_DOT_TIMEOUT_MS,
      },
    },
    {
      total: config.SMTP_CONNECTIONS,
      waitingPerExchanger: config.SMTP_WAITING_PER_EXCHANGER,
      waitMs: config.SMTP_WAIT_MS,
      idleMs: config.SMTP_IDLE_MS,
    },
    ({ host, address, port, source }) => {
      const rule = rules.of(host, address, port);
      // What a server takes it takes from each address.
      return source ? { ...rule, site: `${rule.site} from ${source.address}` } : rule;
    },
    slots,
  );
};

const dns = ({ DNS_SERVERS, DNS_TIMEOUT_MS, DNS_VALIDATES, DNS_CONCURRENCY }: DeliveryConfig): DnsClient => {
  // The schema has read it once: it is a list of servers.
  const named = parseServers(DNS_SERVERS) ?? [];
  return new DnsClient({
    servers: named.length > 0 ? named : (parseServers(getServers().join(',')) ?? []),
    timeoutMs: DNS_TIMEOUT_MS,
    validates: DNS_VALIDATES,
    concurrency: DNS_CONCURRENCY,
  });
};

const fetcher = (config: DeliveryConfig, resolver: MxResolver, trusted: SecureContext): StsFetcher =>
  new StsFetcher(resolver, {
    port: config.MTA_STS_PORT,
    timeoutMs: config.MTA_STS_TIMEOUT_MS,
    trust: trusted,
    allowed: allowedAddress(config.OUTBOUND_ALLOW),
  });

const routes = (config: DeliveryConfig, client: DnsClient, mx: MxResolver, sts: StsService, log: Log): RouteService =>
  new RouteService(
    config,
    readRoutes(config.OUTBOUND_ROUTE),
    mx,
    config.DNS_VALIDATES ? new DaneResolver(client) : undefined,
    sts,
    log,
  );

const TRUST = Symbol('authorities that are trusted');

/** Everything that speaks to the outside. */
@Module({
  providers: [
    { provide: TRUST, inject: [CONFIG], useFactory: trust },
    {
      provide: SlotLocks,
      inject: [CONFIG, Log],
      useFactory: (config: DeliveryConfig, log: Log) => new SlotLocks(config.DATABASE_URL, log),
    },
    { provide: SmtpPool, inject: [CONFIG, TRUST, SlotLocks], useFactory: pool },
    { provide: DnsClient, inject: [CONFIG], useFactory: dns },
    {
      provide: MxResolver,
      inject: [CONFIG, DnsClient],
      useFactory: (config: DeliveryConfig, client: DnsClient) => new MxResolver(client, config.EHLO_NAME),
    },
    { provide: StsFetcher, inject: [CONFIG, MxResolver, TRUST], useFactory: fetcher },
    StsRepository,
    StsService,
    StsWorker,
    { provide: RouteService, inject: [CONFIG, DnsClient, MxResolver, StsService, Log], useFactory: routes },
    {
      provide: ExchangeService,
      inject: [RouteService, SmtpPool, WarmUpService],
      useFactory: (found: RouteService, sessions: SmtpPool, warmUp: WarmUpService) =>
        new ExchangeService(found, sessions, warmUp),
    },
    { provide: IpPools, inject: [CONFIG], useFactory: ({ IP_POOLS }: DeliveryConfig) => readPools(IP_POOLS) },
    WarmUpService,
  ],
  exports: [ExchangeService, IpPools],
})
export class ExchangeModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly pool: SmtpPool,
    private readonly slots: SlotLocks,
    private readonly pools: IpPools,
  ) {}

  async onModuleInit(): Promise<void> {
    await assertOwn(this.pools.addresses);
    await this.slots.start();
  }

  /** After the handlers have ended. What is open goes first: its slots are others' afterwards. */
  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
    await this.slots.close();
  }
}
