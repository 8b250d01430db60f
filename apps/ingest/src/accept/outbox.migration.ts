import { OUTBOX_DOWN, OUTBOX_UP } from '@lethe/kafka';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Outbox1764000000001 implements MigrationInterface {
  readonly name = 'Outbox1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_DOWN);
  }
}
