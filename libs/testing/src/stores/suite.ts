import type { Service } from '@lethe/contracts';
import { SERVICES } from '@lethe/contracts';
import { kafkaAdmin } from './kafka-admin.ts';
import { VAULT_OWNER, databaseUrl, dropDatabase, provisionDatabase, provisionVault } from './provision-postgres.ts';
import type { DatabaseOwner } from './provision-postgres.ts';
import { provisionTopics } from './provision-kafka.ts';
import type { TopicDeclaration } from './provision-kafka.ts';
import type { Stores } from './stores.ts';

/**
 * Creates the topics of libs/contracts (or the given ones) under `prefix`, with ACLs for them and for groups and transactions
 * that begin with `<prefix><service>`. Groups named `<service>…` are allowed without any prefix.
 */
export function createTopics(stores: Stores, prefix: string, topics?: readonly TopicDeclaration[]): Promise<void> {
  return provisionTopics(stores.kafka.brokers, stores.kafka.admin, prefix, topics);
}

/** Deletes every topic whose name begins with `prefix`. */
export async function deleteTopics(stores: Stores, prefix: string): Promise<void> {
  if (prefix === '') throw new Error('deleteTopics needs a prefix: without one it would delete every topic.');
  await kafkaAdmin(
    stores.kafka.brokers,
    stores.kafka.admin,
  )(async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

export interface SuiteDatabase {
  /** As the service's own role, its owner. */
  readonly url: string;
  /** The same database as superuser. */
  readonly adminUrl: string;
  /** As `role`, such as `delivery` for the bodies in ingest's database. */
  urlFor(role: DatabaseOwner): string;
  drop(): Promise<void>;
}

/** A new database `<suite>_<service>` with the rights the service's own has (schema `bodies` for ingest). */
export async function createDatabase(stores: Stores, service: DatabaseOwner, suite: string): Promise<SuiteDatabase> {
  const { adminUrl, passwords } = stores.postgres;
  const name = `${suite}_${service}`;
  await provisionDatabase(adminUrl, name, service);
  const urlFor = (role: DatabaseOwner) => databaseUrl(adminUrl, name, role, passwords[role]);
  return {
    url: urlFor(service),
    adminUrl: databaseUrl(adminUrl, name),
    urlFor,
    drop: () => dropDatabase(adminUrl, name),
  };
}

export interface SuiteVault {
  readonly ownerUrl: string;
  readonly adminUrl: string;
  readonly urls: Record<Service, string>;
  drop(): Promise<void>;
}

/** A new database `<suite>_vault` in the vault's instance, with an empty schema `vault`. */
export async function createVault(stores: Stores, suite: string): Promise<SuiteVault> {
  const { adminUrl, passwords } = stores.vault;
  const name = `${suite}_vault`;
  await provisionVault(adminUrl, name);
  const urlFor = (role: string) => databaseUrl(adminUrl, name, role, passwords[role]);
  return {
    ownerUrl: urlFor(VAULT_OWNER),
    adminUrl: databaseUrl(adminUrl, name),
    urls: Object.fromEntries(SERVICES.map((service) => [service, urlFor(service)])) as Record<Service, string>,
    drop: () => dropDatabase(adminUrl, name),
  };
}
