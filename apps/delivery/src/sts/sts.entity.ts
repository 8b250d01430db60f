import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The MTA-STS policy of a domain as it was fetched last: a start must not forget that mail there goes to nobody else. */
@Entity('sts_policy')
export class StsRow {
  /** As DNS has it. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'sts_policy_pkey' })
  domain!: string;

  /** What the domain's TXT record calls this policy. */
  @Column('text', { name: 'policy_id' })
  policyId!: string;

  @Column('text')
  mode!: 'enforce' | 'testing' | 'none';

  /** Names and patterns of the exchangers. */
  @Column('text', { array: true })
  mx!: string[];

  @Column('timestamptz', { name: 'fetched_at' })
  fetchedAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** When somebody last set out to fetch it. */
  @Column('timestamptz', { name: 'checked_at' })
  checkedAt!: Date;

  /** When mail last went there, to the day. */
  @Column('timestamptz', { name: 'used_at' })
  usedAt!: Date;
}
