import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { MigrationInterface, QueryRunner } from 'typeorm';

@Entity({ name: 'parcels' })
@Index('parcels_state', ['state'])
@Check('parcels_weight_positive', 'weight > 0')
export class Parcel {
  @PrimaryColumn('uuid', { default: () => 'uuidv7()', primaryKeyConstraintName: 'parcels_pkey' })
  id!: string;

  @Column('text')
  state!: string;

  @Column('integer')
  weight!: number;
}

export class CreateParcels1764000000000 implements MigrationInterface {
  name = 'CreateParcels1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE parcels (
         id uuid NOT NULL DEFAULT uuidv7(),
         state text NOT NULL,
         weight integer NOT NULL,
         CONSTRAINT parcels_pkey PRIMARY KEY (id),
         CONSTRAINT parcels_weight_positive CHECK (weight > 0)
       )`,
    );
    await runner.query('CREATE INDEX parcels_state ON parcels (state)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE parcels');
  }
}
