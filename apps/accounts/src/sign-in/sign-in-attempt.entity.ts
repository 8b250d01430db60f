import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Failed sign-ins, of an address that signs in or of a network: hashes under the platform's key, for a day. */
@Entity('sign_in_attempt')
@Index('sign_in_attempt_at_idx', ['at'])
export class SignInAttempt {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'sign_in_attempt_pk' })
  key!: string;

  @Column('integer')
  failures!: number;

  /** Until then nothing is tried; 1970: at any time, as attempts at once have to be. */
  @Column('timestamptz')
  until!: Date;

  @Column('timestamptz')
  at!: Date;
}
