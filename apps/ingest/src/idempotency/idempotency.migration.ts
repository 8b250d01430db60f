import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests that came with an `Idempotency-Key`, by keyed hashes, and what they were answered with, sealed. */
export class Idempotency1764700000000 implements MigrationInterface {
  readonly name = 'Idempotency1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency (
        domain_id uuid NOT NULL,
        key_hash bytea NOT NULL,
        request_hash bytea NOT NULL,
        id uuid NOT NULL,
        answer text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency PRIMARY KEY (domain_id, key_hash)
      )`);
    await runner.query('CREATE INDEX ix_idempotency_created_at ON idempotency (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency');
  }
}
