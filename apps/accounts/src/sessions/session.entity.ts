import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { UserRow } from '../users/user.entity.ts';

/** Of a user who is signed in. Where from and with which program is not kept. */
@Entity('user_session')
@Unique('user_session_hash_key', ['hash'])
@Index('user_session_account_idx', ['accountId'])
@Index('user_session_user_idx', ['userId'])
export class SessionRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'user_session_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'user_session_account_fk' })
  account?: Account;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @ManyToOne(() => UserRow, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'user_session_user_fk' })
  user?: UserRow;

  /** SHA-256 (hex) of the whole token. */
  @Column('text')
  hash!: string;

  /** Begun without the second factor that its user has to have: it serves to set that up, and for nothing else. */
  @Column('boolean', { default: false })
  limited!: boolean;

  /** Used after this, it lives on for another idle time. */
  @Column('timestamptz', { name: 'renew_at' })
  renewAt!: Date;

  @Column('timestamptz', { name: 'idle_at' })
  idleAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
