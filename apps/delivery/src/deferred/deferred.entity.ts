import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A recipient that waits for its next attempt, or whose attempt took too long to hold its Kafka record back. Only ids and
 * what is sealed: nothing of it can be read without the vault (design §4).
 */
@Entity('deferred')
@Index('deferred_due', ['nextAt'])
@Index('deferred_accepted', ['acceptedAt'])
@Index('deferred_domain', ['domainId', 'nextAt'])
@Index('deferred_paused', ['pausedBy'], { where: 'paused_by is not null' })
export class Deferred {
  @PrimaryColumn('uuid', { name: 'message_id', primaryKeyConstraintName: 'deferred_pkey' })
  messageId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'deferred_pkey' })
  ordinal!: number;

  /** Whose mail it is: all of a domain can be given up at once. */
  @Column('uuid', { name: 'domain_id' })
  domainId!: string;

  /** Of `mail-accepted`: whoever owns it there owns it here. */
  @Column('smallint')
  partition!: number;

  /** Number of the next attempt, or of the one under way; from 1. */
  @Column('integer')
  attempt!: number;

  /** The value of the `mail-accepted` record as it came, JSON. */
  @Column('text')
  record!: string;

  /** When the message was accepted: nothing of it is kept for longer than its class allows. */
  @Column('timestamptz', { name: 'accepted_at' })
  acceptedAt!: Date;

  @Column('timestamptz', { name: 'next_at' })
  nextAt!: Date;

  /** The pause it waits for, if any: when that ends it is due at once. */
  @Column('uuid', { name: 'paused_by', nullable: true })
  pausedBy!: string | null;

  /** Until then nobody else takes it. */
  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  /** The process that works on it: a random id made at its start. */
  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  /** An attempt began and has not reported: if its process died, what became of it is unknown. */
  @Column('boolean', { default: false })
  started!: boolean;

  @Column('boolean', { name: 'maybe_duplicate', default: false })
  maybeDuplicate!: boolean;
}
