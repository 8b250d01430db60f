import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What may be read of a message by the API: `readable`; `never` (accepted under a retention of 0 days); `removed` by its account;
 * `condemned`, once the vault knows of the removal. The index holds the few that the vault has still to be told of.
 */
export class Stored1764000000003 implements MigrationInterface {
  readonly name = 'Stored1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE message ADD COLUMN stored text NOT NULL DEFAULT 'readable'`);
    await runner.query(`CREATE INDEX ix_message_removed ON message (id) WHERE stored = 'removed'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_message_removed');
    await runner.query('ALTER TABLE message DROP COLUMN stored');
  }
}
