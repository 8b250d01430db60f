import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';

/** A controller's documented instruction to its processor (Art. 28(3)(a) GDPR): to keep bodies for longer than a week, for a time. */
@Entity('retention_instruction')
@Index('retention_instruction_account_idx', ['accountId'])
export class InstructionRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'retention_instruction_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'retention_instruction_account_fk' })
  account?: Account;

  /** 8–30. */
  @Column('smallint', { name: 'bodies_days' })
  bodiesDays!: number;

  /** SHA-256 (hex) of the document, which the operator keeps. */
  @Column('text', { name: 'document_sha256' })
  documentSha256!: string;

  /** Who has signed it, sealed for the account (`retention-instruction`), bound to this id. */
  @Column('text')
  signature!: string;

  @Column('timestamptz', { name: 'signed_at' })
  signedAt!: Date;

  @Column('timestamptz', { name: 'valid_from' })
  validFrom!: Date;

  /** From then on nothing is kept by it. */
  @Column('timestamptz', { name: 'valid_to' })
  validTo!: Date;

  /** Whether the account's retention says it already (`in-force`), or does not any more (`over`). */
  @Column('text', { default: 'coming' })
  state!: 'coming' | 'in-force' | 'over';

  /** Of one that was ended before its time: from then on nothing is kept by it. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** Id of the user who ended it, or `operator` (the token). */
  @Column('text', { name: 'ended_by', nullable: true })
  endedBy!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
