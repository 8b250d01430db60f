import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies of domains that mail goes to (RFC 8461). */
export class StsPolicy1764500100000 implements MigrationInterface {
  name = 'StsPolicy1764500100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sts_policy (
        domain text not null,
        policy_id text not null,
        mode text not null,
        mx text[] not null,
        fetched_at timestamptz not null,
        expires_at timestamptz not null,
        checked_at timestamptz not null,
        used_at timestamptz not null,
        constraint sts_policy_pkey primary key (domain)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sts_policy');
  }
}
