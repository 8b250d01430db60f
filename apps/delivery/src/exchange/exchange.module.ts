import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, Log } from '@lethe/service';
import type { DeliveryConfig } from '../config.ts';
import { SmtpPool } from '../smtp/smtp-pool.ts';
import { ExchangeService } from './exchange.service.ts';
import { MxResolver } from './mx.resolver.ts';
import { RouteService } from './route.service.ts';

const pool = (config: DeliveryConfig): SmtpPool =>
  new SmtpPool(
    {
      helo: config.EHLO_NAME,
      timeouts: {
        connect: config.SMTP_CONNECT_TIMEOUT_MS,
        greeting: config.SMTP_GREETING_TIMEOUT_MS,
        command: config.SMTP_COMMAND_TIMEOUT_MS,
        content: config.SMTP_CONTENT_TIMEOUT_MS,
        finalDot: config.SMTP_FINAL_DOT_TIMEOUT_MS,
      },
    },
    {
      perExchanger: config.SMTP_CONNECTIONS_PER_EXCHANGER,
      total: config.SMTP_CONNECTIONS,
      waitingPerExchanger: config.SMTP_WAITING_PER_EXCHANGER,
      waitMs: config.SMTP_WAIT_MS,
      messagesPerConnection: config.SMTP_MESSAGES_PER_CONNECTION,
      idleMs: config.SMTP_IDLE_MS,
    },
  );

const resolver = ({ DNS_SERVERS, DNS_TIMEOUT_MS, EHLO_NAME }: DeliveryConfig): MxResolver => {
  const servers = DNS_SERVERS.split(',').flatMap((server) => server.trim() || []);
  return new MxResolver(servers, DNS_TIMEOUT_MS, EHLO_NAME);
};

/** Everything that speaks to the outside. */
@Module({
  providers: [
    { provide: SmtpPool, inject: [CONFIG], useFactory: pool },
    {
      provide: RouteService,
      inject: [CONFIG, Log],
      useFactory: (config: DeliveryConfig, log: Log) => new RouteService(config, resolver(config), log),
    },
    {
      provide: ExchangeService,
      inject: [RouteService, SmtpPool],
      useFactory: (routes: RouteService, pool: SmtpPool) => new ExchangeService(routes, pool),
    },
  ],
  exports: [ExchangeService],
})
export class ExchangeModule implements OnApplicationShutdown {
  constructor(private readonly pool: SmtpPool) {}

  /** After the handlers have ended. */
  onApplicationShutdown(): void {
    this.pool.close();
  }
}
