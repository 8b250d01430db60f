import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';

/** Somebody an account may send to from its sandbox domain. */
@Entity('sandbox_recipient')
@Unique('sandbox_recipient_subject_key', ['accountId', 'subjectId'])
export class SandboxRecipientRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sandbox_recipient_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'sandbox_recipient_account_fk' })
  account?: Account;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  /** Sealed for the person (`sandbox-recipient`), bound to this row's id. */
  @Column('text')
  recipient!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
