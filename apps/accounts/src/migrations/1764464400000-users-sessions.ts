import type { MigrationInterface, QueryRunner } from 'typeorm';

export class UsersSessions1764464400000 implements MigrationInterface {
  readonly name = 'UsersSessions1764464400000';

  async up(runner: QueryRunner): Promise<void> {
    // Whoever runs the platform has users, too; its account has nothing else (PLATFORM_ACCOUNT of @lethe/contracts).
    await runner.query(`INSERT INTO account (id, state) VALUES ('00000000-0000-7000-8000-000000000001', 'active')`);
    await runner.query(`
      CREATE TABLE account_user (
        id uuid CONSTRAINT account_user_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT account_user_account_fk REFERENCES account ON DELETE CASCADE,
        subject_id uuid NOT NULL,
        login text NOT NULL,
        person text NOT NULL,
        secrets text,
        role text NOT NULL,
        invitation_hash text CONSTRAINT account_user_invitation_key UNIQUE,
        invitation_expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT account_user_subject_key UNIQUE (account_id, subject_id)
      )`);
    await runner.query('CREATE INDEX account_user_login_idx ON account_user (login)');
    await runner.query(`
      CREATE TABLE user_session (
        id uuid CONSTRAINT user_session_pk PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT user_session_account_fk REFERENCES account ON DELETE CASCADE,
        user_id uuid NOT NULL CONSTRAINT user_session_user_fk REFERENCES account_user ON DELETE CASCADE,
        hash text NOT NULL CONSTRAINT user_session_hash_key UNIQUE,
        renew_at timestamptz NOT NULL,
        idle_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX user_session_account_idx ON user_session (account_id)');
    await runner.query('CREATE INDEX user_session_user_idx ON user_session (user_id)');
    await runner.query(`
      CREATE TABLE sign_in_attempt (
        key text CONSTRAINT sign_in_attempt_pk PRIMARY KEY,
        failures integer NOT NULL,
        until timestamptz NOT NULL,
        at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX sign_in_attempt_at_idx ON sign_in_attempt (at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['sign_in_attempt', 'user_session', 'account_user']) await runner.query(`DROP TABLE ${table}`);
    await runner.query(`DELETE FROM account WHERE id = '00000000-0000-7000-8000-000000000001'`);
  }
}
