import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A customer: the controller (Art. 4(7) GDPR) of all data below it. */
@Entity('account')
export class Account {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'account_pk' })
  id!: string;

  @Column('text', { default: 'active' })
  state!: 'active' | 'suspended';

  /** What the operator allows: recipients a day and a month (UTC) at most; null: no limit. */
  @Column('integer', { name: 'day_limit', nullable: true })
  dayLimit!: number | null;

  @Column('integer', { name: 'month_limit', nullable: true })
  monthLimit!: number | null;

  /** What the account allows itself. */
  @Column('integer', { name: 'own_month_limit', nullable: true })
  ownMonthLimit!: number | null;

  /** Sealed for the account (`allowed-senders`), bound to this id; null: anybody may stand in From. */
  @Column('text', { name: 'allowed_senders', nullable: true })
  allowedSenders!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
