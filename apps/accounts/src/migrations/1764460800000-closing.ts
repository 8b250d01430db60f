import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Closing1764460800000 implements MigrationInterface {
  readonly name = 'Closing1764460800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account ADD closing_request uuid, ADD closed_at timestamptz, ADD closed_by text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account DROP closing_request, DROP closed_at, DROP closed_by');
  }
}
