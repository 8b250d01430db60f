import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

/** A customer: the controller (Art. 4(7) GDPR) of all data below it. */
@Entity('account')
@Index('account_parent_idx', ['parentId'])
export class Account {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'account_pk' })
  id!: string;

  @Column('text', { default: 'active' })
  state!: 'active' | 'suspended' | 'closed';

  /** Of a closed one: the request by which it is erased. */
  @Column('uuid', { name: 'closing_request', nullable: true })
  closingRequest!: string | null;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt!: Date | null;

  /** Id of the key that closed it, or `operator`. */
  @Column('text', { name: 'closed_by', nullable: true })
  closedBy!: string | null;

  /** Of a subaccount: whose it is. */
  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId!: string | null;

  @ManyToOne(() => Account, { onDelete: 'RESTRICT', nullable: true })
  @JoinColumn({ name: 'parent_id', foreignKeyConstraintName: 'account_parent_fk' })
  parent?: Account;

  /** Of a subaccount, sealed for it (`account-name`), bound to its id. */
  @Column('text', { nullable: true })
  name!: string | null;

  /** Of a subaccount: its parent lets it send nothing. What the operator says is in `state`. */
  @Column('boolean', { default: false })
  disabled!: boolean;

  /** What the operator allows: recipients a day and a month (UTC) at most; null: no limit. */
  @Column('integer', { name: 'day_limit', nullable: true })
  dayLimit!: number | null;

  @Column('integer', { name: 'month_limit', nullable: true })
  monthLimit!: number | null;

  /** What the account allows itself. */
  @Column('integer', { name: 'own_month_limit', nullable: true })
  ownMonthLimit!: number | null;

  /** Of domains that have not chosen: days a body can be read, 0–7, or up to 30 by a written instruction. */
  @Column('smallint', { name: 'bodies_days', default: 7 })
  bodiesDays!: number;

  /** What the account has chosen of these itself, 0–7: what it goes back to as its last instruction ends. */
  @Column('smallint', { name: 'chosen_bodies_days', default: 7 })
  chosenBodiesDays!: number;

  /** Of domains that have not chosen: days events are kept, 1, 3, 7, 14 or 30. */
  @Column('smallint', { name: 'events_days', default: 30 })
  eventsDays!: number;

  /** Sealed for the account (`allowed-senders`), bound to this id; null: anybody may stand in From. */
  @Column('text', { name: 'allowed_senders', nullable: true })
  allowedSenders!: string | null;

  /** Recipients approved for its sandbox on the day that follows (UTC), those removed since included. */
  @Column('integer', { name: 'sandbox_approvals', default: 0 })
  sandboxApprovals!: number;

  @Column('date', { name: 'sandbox_approvals_day', nullable: true })
  sandboxApprovalsDay!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
