import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Public keys that certificates are or were signed with; none is ever removed. */
export class Certificates1764200200000 implements MigrationInterface {
  readonly name = 'Certificates1764200200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE certificate_key (
        kid text CONSTRAINT certificate_key_pk PRIMARY KEY,
        public_key text NOT NULL,
        valid_from timestamptz NOT NULL,
        retired_at timestamptz
      )`);
    await runner.query(
      'CREATE UNIQUE INDEX certificate_key_signing_idx ON certificate_key ((true)) WHERE retired_at IS NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE certificate_key');
  }
}
