import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SmtpCredentials1764244800000 implements MigrationInterface {
  readonly name = 'SmtpCredentials1764244800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE smtp_credential (
        id uuid CONSTRAINT smtp_credential_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT smtp_credential_account_fk REFERENCES account ON DELETE CASCADE,
        domain_id uuid NOT NULL CONSTRAINT smtp_credential_domain_fk REFERENCES domain ON DELETE CASCADE,
        credential text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX smtp_credential_account_idx ON smtp_credential (account_id)');
    await runner.query('CREATE INDEX smtp_credential_domain_idx ON smtp_credential (domain_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE smtp_credential');
  }
}
