import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DomainOptions1764334800000 implements MigrationInterface {
  readonly name = 'DomainOptions1764334800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE domain
        ADD web_scheme text NOT NULL DEFAULT 'https',
        ADD web_prefix text NOT NULL DEFAULT 'email',
        ADD wildcard boolean NOT NULL DEFAULT false,
        ADD spam_action text NOT NULL DEFAULT 'disabled'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain DROP web_scheme, DROP web_prefix, DROP wildcard, DROP spam_action');
  }
}
