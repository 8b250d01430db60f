import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DnsChecks1764331200000 implements MigrationInterface {
  readonly name = 'DnsChecks1764331200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE domain ADD dns_checks jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain DROP dns_checks');
  }
}
