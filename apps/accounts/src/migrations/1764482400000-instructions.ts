import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What accounts have instructed the operator in writing: to keep bodies for longer than a week. */
export class Instructions1764482400000 implements MigrationInterface {
  readonly name = 'Instructions1764482400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE retention_instruction (
        id uuid CONSTRAINT retention_instruction_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT retention_instruction_account_fk REFERENCES account (id) ON DELETE CASCADE,
        bodies_days smallint NOT NULL,
        document_sha256 text NOT NULL,
        signature text NOT NULL,
        signed_at timestamptz NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'coming',
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX retention_instruction_account_idx ON retention_instruction (account_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE retention_instruction');
  }
}
