import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeyDescription1764356400000 implements MigrationInterface {
  readonly name = 'KeyDescription1764356400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_key ADD description text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_key DROP description');
  }
}
