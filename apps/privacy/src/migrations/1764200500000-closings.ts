import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests by which closed accounts are erased, and their entries of the ledger. */
export class Closings1764200500000 implements MigrationInterface {
  readonly name = 'Closings1764200500000';

  async up(runner: QueryRunner): Promise<void> {
    // `parent_id`: of a subaccount, whose keys see the request; its own are gone. `domains`: as they were when it was closed.
    await runner.query(`
      ALTER TABLE request ADD parent_id uuid, ADD domains uuid[] NOT NULL DEFAULT '{}',
        ADD content_keys integer NOT NULL DEFAULT 0`);
    await runner.query('CREATE INDEX request_parent_idx ON request (parent_id, id) WHERE parent_id IS NOT NULL');
    await runner.query(
      `CREATE UNIQUE INDEX request_closing_idx ON request (account_id) WHERE type = 'account-erasure'`,
    );
    await runner.query(`
      ALTER TABLE erasure_ledger DROP CONSTRAINT erasure_ledger_kind_check,
        ADD CONSTRAINT erasure_ledger_kind_check CHECK (kind IN ('erasure', 'release', 'account'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE erasure_ledger DROP CONSTRAINT erasure_ledger_kind_check,
        ADD CONSTRAINT erasure_ledger_kind_check CHECK (kind IN ('erasure', 'release'))`);
    await runner.query('DROP INDEX request_closing_idx');
    await runner.query('ALTER TABLE request DROP parent_id, DROP domains, DROP content_keys');
  }
}
