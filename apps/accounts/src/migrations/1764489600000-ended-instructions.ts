import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Instructions that were ended before their time: when, and by whom. */
export class EndedInstructions1764489600000 implements MigrationInterface {
  readonly name = 'EndedInstructions1764489600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE retention_instruction ADD ended_at timestamptz, ADD ended_by text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE retention_instruction DROP ended_at, DROP ended_by');
  }
}
