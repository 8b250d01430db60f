import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { Domain } from '../domains/domain.entity.ts';
import type { Role } from './roles.ts';

/** An API key without the key: its hash admits, its hint lets people tell it from others. */
@Entity('api_key')
@Unique('api_key_hash_key', ['hash'])
@Index('api_key_account_idx', ['accountId'])
@Index('api_key_domain_idx', ['domainId'])
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_key_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'api_key_account_fk' })
  account?: Account;

  /** SHA-256 (hex) of the whole key. */
  @Column('text')
  hash!: string;

  @Column('text')
  hint!: string;

  @Column('text')
  role!: Role;

  /** Sealed for the account (`key-description`), bound to this id. */
  @Column('text', { nullable: true })
  description!: string | null;

  /** Set for a domain sending key. It ends with its domain. */
  @Column('uuid', { name: 'domain_id', nullable: true })
  domainId!: string | null;

  @ManyToOne(() => Domain, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn({ name: 'domain_id', foreignKeyConstraintName: 'api_key_domain_fk' })
  domain?: Domain;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
