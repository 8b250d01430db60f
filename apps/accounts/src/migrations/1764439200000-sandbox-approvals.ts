import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SandboxApprovals1764439200000 implements MigrationInterface {
  readonly name = 'SandboxApprovals1764439200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE account ADD sandbox_approvals integer NOT NULL DEFAULT 0, ADD sandbox_approvals_day date',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account DROP sandbox_approvals, DROP sandbox_approvals_day');
  }
}
