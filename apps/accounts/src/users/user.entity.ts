import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import type { UserRole } from './user-roles.ts';

/** Somebody who signs in, for one account. Of the platform's own account: whoever runs it. */
@Entity('account_user')
@Unique('account_user_subject_key', ['accountId', 'subjectId'])
@Unique('account_user_identity_key', ['accountId', 'identity'])
@Index('account_user_identity_idx', ['identity'])
@Unique('account_user_invitation_key', ['invitationHash'])
@Index('account_user_login_idx', ['login'])
export class UserRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'account_user_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'account_user_account_fk' })
  account?: Account;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  /** The address, as a hash under the platform's key (hex): who signs in says no account. */
  @Column('text')
  login!: string;

  /** Sealed for the person (`user`), bound to this id. */
  @Column('text')
  person!: string;

  /** Likewise (`user-secrets`); null: invited, and nothing was chosen yet. */
  @Column('text', { nullable: true })
  secrets!: string | null;

  /** Issuer and subject of whom they are at the provider, as a hash under the platform's key (hex); null: not linked. */
  @Column('text', { nullable: true })
  identity!: string | null;

  /** The last thirty seconds since 1970 whose code of the authenticator was shown (RFC 6238); null: no code is needed. */
  @Column('integer', { name: 'totp_step', nullable: true })
  totpStep!: number | null;

  @Column('text')
  role!: UserRole;

  /** SHA-256 (hex) of the token that lets them choose a password, once. */
  @Column('text', { name: 'invitation_hash', nullable: true })
  invitationHash!: string | null;

  @Column('timestamptz', { name: 'invitation_expires_at', nullable: true })
  invitationExpiresAt!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
