import { Client } from '@elastic/elasticsearch';
import { CONFIG, HealthRegistry, Log } from '@lethe/service';
import { Inject, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { SearchConfig } from './search-config.ts';
import { SearchProbe } from './search-probe.ts';
import { Search } from './search.ts';

const CLIENT = Symbol('lethe.search.client');

/** Elasticsearch for a service whose config holds `searchConfig`. Exports `Search`. */
@Module({
  providers: [
    { provide: CLIENT, inject: [CONFIG], useFactory: createClient },
    { provide: Search, inject: [CLIENT], useFactory: (client: Client) => new Search(client) },
  ],
  exports: [Search],
})
export class SearchModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly probe: SearchProbe;

  constructor(
    search: Search,
    log: Log,
    @Inject(CLIENT) private readonly client: Client,
    private readonly health: HealthRegistry,
  ) {
    this.probe = new SearchProbe(search, log);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.health.register({ name: 'search', check: () => this.probe.current() });
    await this.probe.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.probe.stop();
    await this.client.close();
  }
}

/** A client that leaves retrying to those who know what a second attempt does. */
export function createClient(
  config: Pick<SearchConfig, 'ELASTICSEARCH_URL' | 'ELASTICSEARCH_API_KEY' | 'ELASTICSEARCH_TIMEOUT_MS'>,
): Client {
  return new Client({
    node: config.ELASTICSEARCH_URL,
    ...(config.ELASTICSEARCH_API_KEY ? { auth: { apiKey: config.ELASTICSEARCH_API_KEY } } : {}),
    requestTimeout: config.ELASTICSEARCH_TIMEOUT_MS,
    maxRetries: 0,
    redaction: { type: 'remove' },
  });
}
