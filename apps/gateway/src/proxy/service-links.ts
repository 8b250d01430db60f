import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '@lethe/service';
import type { GatewayConfig } from '../config.ts';
import type { Upstream } from '../routing/routes.ts';
import { ServiceLink } from './service-link.ts';

/** One link per service. */
@Injectable()
export class ServiceLinks implements OnApplicationShutdown {
  private readonly links: Record<Upstream, ServiceLink>;

  constructor(@Inject(CONFIG) config: GatewayConfig) {
    const limits = {
      connections: config.SERVICE_CONNECTIONS,
      inFlight: config.SERVICE_IN_FLIGHT,
      account: { connections: config.ACCOUNT_CONNECTIONS, inFlight: config.ACCOUNT_IN_FLIGHT },
      stallMs: config.CLIENT_STALL_MS,
      connectMs: config.SERVICE_CONNECT_MS,
      answerMs: config.SERVICE_ANSWER_MS,
      inflate: { maxBytes: config.MAX_BODY_BYTES, maxRatio: config.INFLATE_MAX_RATIO },
    };
    this.links = {
      accounts: new ServiceLink(config.ACCOUNTS_URL, limits),
      ingest: new ServiceLink(config.INGEST_URL, limits),
      delivery: new ServiceLink(config.DELIVERY_URL, limits),
      events: new ServiceLink(config.EVENTS_URL, limits),
      suppression: new ServiceLink(config.SUPPRESSION_URL, limits),
      privacy: new ServiceLink(config.PRIVACY_URL, limits),
    };
  }

  services(): Upstream[] {
    return Object.keys(this.links) as Upstream[];
  }

  to(service: Upstream): ServiceLink {
    return this.links[service];
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(Object.values(this.links).map((link) => link.close()));
  }
}
