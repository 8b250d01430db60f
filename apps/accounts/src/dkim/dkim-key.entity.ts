import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import type { Check } from '../dns/dns-records.ts';
import { Domain } from '../domains/domain.entity.ts';
import type { Algorithm } from './dkim-key-pair.ts';

/** A key that mail of a domain is, was or will be signed with. It ends with its domain. */
@Entity('dkim_key')
@Unique('dkim_key_selector_key', ['domainId', 'selector'])
@Index('dkim_key_account_idx', ['accountId'])
export class DkimKeyRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'dkim_key_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'dkim_key_account_fk' })
  account?: Account;

  @Column('uuid', { name: 'domain_id' })
  domainId!: string;

  @ManyToOne(() => Domain, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'domain_id', foreignKeyConstraintName: 'dkim_key_domain_fk' })
  domain?: Domain;

  @Column('text')
  selector!: string;

  @Column('text')
  algorithm!: Algorithm;

  /** Base64, as the DNS record has it. */
  @Column('text', { name: 'public_key' })
  publicKey!: string;

  /** Sealed for the account (`dkim-key`), bound to the domain's id. */
  @Column('text', { name: 'private_key' })
  privateKey!: string;

  /** What the last look at the DNS found. */
  @Column('text', { name: 'dns_check', default: 'unknown' })
  dnsCheck!: Check;

  /** Whether mail may be signed with it; see `signingKey`. */
  @Column('boolean', { default: false })
  active!: boolean;

  /** When it was made active last; null: never yet. */
  @Column('timestamptz', { name: 'activated_at', nullable: true })
  activatedAt!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
