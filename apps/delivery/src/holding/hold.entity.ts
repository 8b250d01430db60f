import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** What keeps mail from being sent: a pause, which ends, or the word that all mail from before is cancelled. */
@Entity('hold')
@Unique('hold_key', ['kind', 'scope', 'target'])
export class Hold {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'hold_pkey' })
  id!: string;

  @Column('text')
  kind!: 'pause' | 'cancel';

  @Column('text')
  scope!: Scope;

  /** Id of the domain or account; of a destination its domain's name, as the DNS has it. */
  @Column('text')
  target!: string;

  /** Of a pause: when it began. What was accepted up to then is cancelled, by the other. */
  @Column('timestamptz')
  at!: Date;

  /** A pause ends by itself then. */
  @Column('timestamptz', { nullable: true })
  until!: Date | null;
}

export type Scope = 'domain' | 'account' | 'destination';
