import { OUTBOX_DOWN, OUTBOX_UP } from '@lethe/kafka';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AccountsKeysDomains1764072000000 implements MigrationInterface {
  readonly name = 'AccountsKeysDomains1764072000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE account (
        id uuid CONSTRAINT account_pk PRIMARY KEY,
        state text NOT NULL DEFAULT 'active',
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE domain (
        id uuid CONSTRAINT domain_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT domain_account_fk REFERENCES account ON DELETE CASCADE,
        name text NOT NULL CONSTRAINT domain_name_key UNIQUE,
        state text NOT NULL,
        dkim_selector text NOT NULL,
        dkim_public_key text NOT NULL,
        dkim_private_key text NOT NULL,
        dkim_check text NOT NULL DEFAULT 'unknown',
        bodies_days smallint NOT NULL DEFAULT 7,
        events_days smallint NOT NULL DEFAULT 30,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX domain_account_idx ON domain (account_id)');
    await runner.query(`
      CREATE TABLE api_key (
        id uuid CONSTRAINT api_key_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT api_key_account_fk REFERENCES account ON DELETE CASCADE,
        hash text NOT NULL CONSTRAINT api_key_hash_key UNIQUE,
        hint text NOT NULL,
        role text NOT NULL,
        domain_id uuid CONSTRAINT api_key_domain_fk REFERENCES domain ON DELETE CASCADE,
        expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX api_key_account_idx ON api_key (account_id)');
    await runner.query('CREATE INDEX api_key_domain_idx ON api_key (domain_id)');
    await runner.query(OUTBOX_UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_DOWN);
    for (const table of ['api_key', 'domain', 'account']) await runner.query(`DROP TABLE ${table}`);
  }
}
