import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MessageExpiry1764435600000 implements MigrationInterface {
  readonly name = 'MessageExpiry1764435600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain ADD expiry_seconds integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE domain DROP expiry_seconds');
  }
}
