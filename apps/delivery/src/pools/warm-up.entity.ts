import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What one of our addresses was allowed to send to one provider on one day. */
@Entity('warm_up')
export class WarmUpRow {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'warm_up_pkey' })
  address!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'warm_up_pkey' })
  provider!: string;

  /** UTC. */
  @PrimaryColumn('date', { primaryKeyConstraintName: 'warm_up_pkey' })
  day!: string;

  @Column('int')
  sent!: number;
}
