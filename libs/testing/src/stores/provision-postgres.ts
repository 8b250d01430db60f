import { SERVICES } from '@lethe/contracts';
import type { Service } from '@lethe/contracts';
import type { Client } from 'pg';
import { withClient } from './postgres.ts';
import { vaultFiles } from './vault-files.ts';

/** Services with a database of their own; the gateway owns nothing. */
export const DATABASE_OWNERS = SERVICES.filter((service) => service !== 'gateway');
export type DatabaseOwner = (typeof DATABASE_OWNERS)[number];

export const VAULT_OWNER = 'vault_owner';

/** Login roles with the given passwords. Safe to repeat. */
export async function provisionRoles(adminUrl: string, roles: Readonly<Record<string, string>>): Promise<void> {
  await withClient(adminUrl, async (client) => {
    for (const [role, password] of Object.entries(roles)) {
      const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
      const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
      await client.query(`${verb} ROLE ${id(client, role)} LOGIN NOINHERIT PASSWORD ${client.escapeLiteral(password)}`);
    }
    // Everyone may connect to these by default.
    await client.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC');
    await client.query('REVOKE ALL ON DATABASE template1 FROM PUBLIC');
  });
}

/** A database only its owner (and, for bodies, delivery) can connect to. Safe to repeat. */
export async function provisionDatabase(adminUrl: string, name: string, service: Service): Promise<void> {
  await createOwned(adminUrl, name, service);
  if (service === 'ingest') await provisionBodies(adminUrl, name);
}

/**
 * The body store is a schema of ingest's database, so that a body shares the commit of its message: ingest writes, delivery
 * reads and shreds, and sees nothing else of ingest's.
 */
async function provisionBodies(adminUrl: string, database: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query(`GRANT CONNECT ON DATABASE ${id(client, database)} TO delivery`);
  });
  await withClient(databaseUrl(adminUrl, database), async (client) => {
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS bodies AUTHORIZATION ingest;
      REVOKE ALL ON SCHEMA public FROM PUBLIC;
      GRANT USAGE ON SCHEMA bodies TO delivery;
      ALTER DEFAULT PRIVILEGES FOR ROLE ingest IN SCHEMA bodies GRANT SELECT, UPDATE, DELETE ON TABLES TO delivery;
    `);
  });
}

/**
 * The vault: schema `vault` belongs to its owner, who migrates it; services may call what the migration grants them, and functions
 * are closed to everyone until then. `privacy` does the physical pass: it may switch the WAL, order a checkpoint, and have files emptied
 * that a kill left behind.
 */
export async function provisionVault(adminUrl: string, database: string): Promise<void> {
  await createOwned(adminUrl, database, VAULT_OWNER);
  const services = SERVICES.join(', ');
  await withClient(databaseUrl(adminUrl, database), async (client) => {
    await client.query(`
      GRANT CONNECT ON DATABASE ${id(client, database)} TO ${services};
      REVOKE ALL ON SCHEMA public FROM PUBLIC;
      CREATE SCHEMA IF NOT EXISTS vault AUTHORIZATION ${VAULT_OWNER};
      GRANT USAGE ON SCHEMA vault TO ${services};
      ALTER DEFAULT PRIVILEGES FOR ROLE ${VAULT_OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
      GRANT pg_checkpoint TO privacy WITH INHERIT TRUE;
      GRANT EXECUTE ON FUNCTION pg_switch_wal() TO privacy;
    `);
    await client.query(vaultFiles);
  });
}

const OBJECT_IN_USE = '55006';

/**
 * Connections that are just being closed (a pool's `end` does not wait for them) have five seconds; a client that is ended by the
 * server instead throws at nobody in particular. What stays connected is ended.
 */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const drop = `DROP DATABASE IF EXISTS ${id(client, name)}`;
    await client.query(drop).catch((error: { code?: string }) => {
      if (error.code !== OBJECT_IN_USE) throw error;
      return client.query(`${drop} WITH (FORCE)`);
    });
  });
}

/** `url` with another database and, if given, another user. */
export function databaseUrl(url: string, database: string, user?: string, password?: string): string {
  const result = new URL(url);
  result.pathname = `/${database}`;
  if (user !== undefined) result.username = user;
  if (password !== undefined) result.password = password;
  return result.href;
}

async function createOwned(adminUrl: string, name: string, owner: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (known.rowCount === 0) await client.query(`CREATE DATABASE ${id(client, name)} OWNER ${id(client, owner)}`);
    await client.query(`REVOKE ALL ON DATABASE ${id(client, name)} FROM PUBLIC`);
  });
}

const id = (client: Client, name: string): string => client.escapeIdentifier(name);
