import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import { Domain } from '../domains/domain.entity.ts';

/** Who may hand mail in by SMTP, for one domain. It ends with its domain. */
@Entity('smtp_credential')
@Index('smtp_credential_account_idx', ['accountId'])
@Index('smtp_credential_domain_idx', ['domainId'])
export class SmtpCredentialRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'smtp_credential_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'smtp_credential_account_fk' })
  account?: Account;

  @Column('uuid', { name: 'domain_id' })
  domainId!: string;

  @ManyToOne(() => Domain, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'domain_id', foreignKeyConstraintName: 'smtp_credential_domain_fk' })
  domain?: Domain;

  /** Login and hash, sealed for the account (`smtp-credential`), bound to this row's id. */
  @Column('text')
  credential!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
