import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Sandbox1764345600000 implements MigrationInterface {
  readonly name = 'Sandbox1764345600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain ADD sandbox boolean NOT NULL DEFAULT false');
    await runner.query(`
      CREATE TABLE sandbox_recipient (
        id uuid CONSTRAINT sandbox_recipient_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT sandbox_recipient_account_fk REFERENCES account ON DELETE CASCADE,
        subject_id uuid NOT NULL,
        recipient text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT sandbox_recipient_subject_key UNIQUE (account_id, subject_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sandbox_recipient');
    await runner.query('ALTER TABLE domain DROP sandbox');
  }
}
