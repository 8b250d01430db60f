import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { SessionRow } from '../sessions/session.entity.ts';
import { UserRow } from '../users/user.entity.ts';

/** Somebody signs in over there, and perhaps has to set up an authenticator first. */
export const FLOW_LASTS_MS = 600_000;

/** A sign-in at the provider that was begun. It ends with its answer, with its time, and with whom it was begun for. */
@Entity('provider_flow')
@Index('provider_flow_begun_idx', ['begunAt'])
export class ProviderFlow {
  /** SHA-256 (hex) of the token that the page keeps. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_flow_pk' })
  hash!: string;

  /** Of which account somebody wants to sign in as a user, if they said so; or whose user is linked. */
  @Column('uuid', { name: 'account_id', nullable: true })
  accountId!: string | null;

  /** Who is linked with whoever signs in there; null: who is linked already signs in. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @ManyToOne(() => UserRow, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'provider_flow_user_fk' })
  user?: UserRow;

  /** The session that links; null: an invitation does. */
  @Column('uuid', { name: 'session_id', nullable: true })
  sessionId!: string | null;

  @ManyToOne(() => SessionRow, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'session_id', foreignKeyConstraintName: 'provider_flow_session_fk' })
  session?: SessionRow;

  /** The invitation that links: used or replaced meanwhile, it links nobody. */
  @Column('text', { name: 'invitation_hash', nullable: true })
  invitationHash!: string | null;

  @Column('timestamptz', { name: 'begun_at' })
  begunAt!: Date;
}
