import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an account has chosen itself, beside what it keeps by an instruction. What accounts under one had chosen before is not known any
 * more: for them it is what they have now, a week at most.
 */
export class ChosenDays1764486000000 implements MigrationInterface {
  readonly name = 'ChosenDays1764486000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account ADD chosen_bodies_days smallint NOT NULL DEFAULT 7');
    await runner.query('UPDATE account SET chosen_bodies_days = bodies_days WHERE bodies_days < 7');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE account DROP chosen_bodies_days');
  }
}
