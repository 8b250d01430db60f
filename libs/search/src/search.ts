import type { Client, estypes } from '@elastic/elasticsearch';
import { StartupError } from '@lethe/service';
import { bulk } from './bulk.ts';
import type { BulkDeletion, BulkItem, BulkOutcome } from './bulk.ts';
import { Expunge } from './expunge/expunge.ts';
import { detectLifecycle, fitSettings } from './lifecycle.ts';
import type { Lifecycle } from './lifecycle.ts';
import { SearchError } from './search-error.ts';

export interface IndexTemplate {
  patterns: string[];
  /** Flat, as `index.number_of_shards`; `index.lifecycle.*` is left out where the cluster has no ILM. */
  settings: Record<string, unknown>;
  mappings: estypes.MappingTypeMapping;
  priority?: number;
}

/** Elasticsearch for services: every failure is a SearchError, which holds no document. */
export class Search {
  private detected: Promise<Lifecycle> | undefined;
  private readonly expunging: Expunge;

  constructor(
    /** Searches and deletes go through `call`, so that their errors are stripped too. */
    private readonly client: Client,
  ) {
    this.expunging = new Expunge(client);
  }

  /** Any call to the client: `search.call((client) => client.search({…}))`. Throws SearchError. */
  async call<T>(use: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await use(this.client);
    } catch (error) {
      throw SearchError.from(error);
    }
  }

  /** Asked once; a failed question is asked again. */
  lifecycle(): Promise<Lifecycle> {
    this.detected ??= detectLifecycle(this.client).catch((error: unknown) => {
      this.detected = undefined;
      throw error;
    });
    return this.detected;
  }

  /** Creates or replaces a lifecycle policy where the cluster has lifecycle management; else nothing is done. */
  async putLifecyclePolicy(name: string, policy: estypes.IlmPolicy): Promise<void> {
    if ((await this.lifecycle()) === 'absent') return;
    try {
      await this.call((client) => client.ilm.putLifecycle({ name, policy }));
    } catch (error) {
      if ((error as SearchError).status !== 401 && (error as SearchError).status !== 403) throw error;
      throw new StartupError(
        `Elasticsearch does not let this service keep the lifecycle policy ${name}. Give its API key the cluster privilege manage_ilm.`,
      );
    }
  }

  /** Creates or replaces an index template, made to fit the cluster. */
  async putTemplate(name: string, template: IndexTemplate): Promise<void> {
    const settings = fitSettings(template.settings, await this.lifecycle());
    await this.call((client) =>
      client.indices.putIndexTemplate({
        name,
        index_patterns: template.patterns,
        priority: template.priority ?? 100,
        template: { settings, mappings: template.mappings },
      }),
    );
  }

  /** Makes sure an index exists; `settings` as in a template. */
  async createIndex(index: string, settings: Record<string, unknown> = {}): Promise<void> {
    const fitting = fitSettings(settings, await this.lifecycle());
    try {
      await this.call((client) => client.indices.create({ index, settings: fitting }));
    } catch (error) {
      const { reason } = error as SearchError;
      if (reason !== 'resource_already_exists_exception') throw error;
    }
  }

  /** Adds fields to the indices that match a pattern, if there are any; those that are there stay as they are. */
  async addFields(pattern: string, mappings: IndexTemplate['mappings']): Promise<void> {
    await this.call((client) =>
      client.indices.putMapping({ index: pattern, allow_no_indices: true, ignore_unavailable: true, ...mappings }),
    );
  }

  /** Names of the indices that match a pattern. */
  async indicesOf(pattern: string): Promise<string[]> {
    const found = await this.call((client) =>
      client.indices.get({ index: pattern, allow_no_indices: true, features: ['aliases'] }),
    );
    return Object.keys(found);
  }

  /** One that is not there is no error. */
  async deleteIndex(index: string): Promise<void> {
    await this.call((client) => client.indices.delete({ index, ignore_unavailable: true }));
  }

  /**
   * Resolves when no file of these indices holds a document that was deleted or replaced before the call: some 30 s, shared by
   * all calls of the moment. Throws ExpungeError when that could not be had in time, SearchError when Elasticsearch is away.
   */
  expunge(indices: readonly string[], withinMs?: number): Promise<void> {
    return this.expunging.run(indices, withinMs);
  }

  bulkIndex(items: readonly BulkItem[]): Promise<BulkOutcome[]> {
    return bulk(this.client, items);
  }

  bulkDelete(items: ReadonlyArray<Omit<BulkDeletion, 'op'>>): Promise<BulkOutcome[]> {
    return bulk(
      this.client,
      items.map(({ index, id }) => ({ index, id, op: 'delete' })),
    );
  }
}
