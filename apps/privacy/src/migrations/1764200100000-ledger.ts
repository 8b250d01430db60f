import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which keys have to be gone: written before they are destroyed, in another store than they are in, so that a vault restored
 * from a backup can be brought to where it was. Ids alone. Entries are added and never changed: each holds the hash of the one
 * before, and a trigger refuses what would rewrite them.
 */
export class Ledger1764200100000 implements MigrationInterface {
  readonly name = 'Ledger1764200100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE erasure_ledger (
        position bigint CONSTRAINT erasure_ledger_pk PRIMARY KEY,
        kind text NOT NULL,
        request_id uuid NOT NULL,
        account_id uuid,
        subjects uuid[] NOT NULL,
        messages uuid[] NOT NULL,
        drops timestamptz[] NOT NULL,
        at timestamptz NOT NULL,
        previous_hash bytea NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT erasure_ledger_kind_check CHECK (kind IN ('erasure', 'release')),
        CONSTRAINT erasure_ledger_drops_check CHECK (cardinality(messages) = cardinality(drops))
      )`);
    await runner.query('CREATE INDEX erasure_ledger_request_idx ON erasure_ledger (request_id)');
    await runner.query(`
      CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'The erasure ledger is only ever added to';
      END $$`);
    await runner.query(`
      CREATE TRIGGER erasure_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasure_ledger
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE erasure_ledger');
    await runner.query('DROP FUNCTION refuse_rewriting');
  }
}
