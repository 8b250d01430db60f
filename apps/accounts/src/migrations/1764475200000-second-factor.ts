import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SecondFactor1764475200000 implements MigrationInterface {
  readonly name = 'SecondFactor1764475200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account_user ADD COLUMN totp_step integer');
    await runner.query('ALTER TABLE user_session ADD COLUMN limited boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE user_session DROP COLUMN limited');
    await runner.query('ALTER TABLE account_user DROP COLUMN totp_step');
  }
}
