import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ProviderSignIn1764478800000 implements MigrationInterface {
  readonly name = 'ProviderSignIn1764478800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE account_user ADD COLUMN identity text, ADD CONSTRAINT account_user_identity_key UNIQUE (account_id, identity)',
    );
    await runner.query('CREATE INDEX account_user_identity_idx ON account_user (identity)');
    await runner.query(`
      CREATE TABLE provider_flow (
        hash text CONSTRAINT provider_flow_pk PRIMARY KEY,
        account_id uuid,
        user_id uuid CONSTRAINT provider_flow_user_fk REFERENCES account_user ON DELETE CASCADE,
        session_id uuid CONSTRAINT provider_flow_session_fk REFERENCES user_session ON DELETE CASCADE,
        invitation_hash text,
        begun_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX provider_flow_begun_idx ON provider_flow (begun_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE provider_flow');
    await runner.query('ALTER TABLE account_user DROP COLUMN identity');
  }
}
