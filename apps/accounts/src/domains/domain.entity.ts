import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.ts';
import type { Check } from '../dns/dns-records.ts';

/** A sending domain. A name belongs to one account at a time. */
@Entity('domain')
@Unique('domain_name_key', ['name'])
@Index('domain_account_idx', ['accountId'])
export class Domain {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'domain_pk' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  @ManyToOne(() => Account, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'domain_account_fk' })
  account?: Account;

  /** Lower case, IDNA form. */
  @Column('text')
  name!: string;

  /** Nothing is sent for a domain that is not `active`. */
  @Column('text')
  state!: 'active' | 'unverified' | 'disabled';

  /** What the last look at the DNS found of its records but DKIM, by `recordKey`. Not what stands in the DNS: a DMARC record there names people. */
  @Column('jsonb', { name: 'dns_checks', default: {} })
  dnsChecks!: Record<string, Check>;

  /** Days a body can be read, 0–7. */
  @Column('smallint', { name: 'bodies_days', default: 7 })
  bodiesDays!: number;

  /** How long it is tried to deliver a message; null: as long as the platform says. */
  @Column('integer', { name: 'expiry_seconds', nullable: true })
  expirySeconds!: number | null;

  /** Days events are kept: 1, 3, 7, 14 or 30. */
  @Column('smallint', { name: 'events_days', default: 30 })
  eventsDays!: number;

  /** Whether the domain has chosen itself: else it has what its account has, and follows it. */
  @Column('boolean', { name: 'own_bodies_days', default: false })
  ownBodiesDays!: boolean;

  @Column('boolean', { name: 'own_events_days', default: false })
  ownEventsDays!: boolean;

  /** Of links in mail that is tracked: `<web prefix>.<domain>` is their host. */
  @Column('text', { name: 'web_scheme', default: 'https' })
  webScheme!: 'http' | 'https';

  @Column('text', { name: 'web_prefix', default: 'email' })
  webPrefix!: string;

  /** Whether mail to the domains below it is taken, too. */
  @Column('boolean', { default: false })
  wildcard!: boolean;

  /** What becomes of spam that comes in. */
  @Column('text', { name: 'spam_action', default: 'disabled' })
  spamAction!: 'disabled' | 'block' | 'tag';

  /** Whether its mail goes over TLS or not at all. */
  @Column('boolean', { name: 'require_tls', default: false })
  requireTls!: boolean;

  /** Whether a certificate that proves nothing is good enough. */
  @Column('boolean', { name: 'skip_verification', default: false })
  skipVerification!: boolean;

  @Column('boolean', { name: 'open_tracking', default: false })
  openTracking!: boolean;

  /** Whether the pixel that tells of an opening stands before the content. */
  @Column('boolean', { name: 'open_tracking_top', default: false })
  openTrackingTop!: boolean;

  @Column('text', { name: 'click_tracking', default: 'no' })
  clickTracking!: 'yes' | 'no' | 'htmlonly';

  @Column('boolean', { name: 'unsubscribe_tracking', default: false })
  unsubscribeTracking!: boolean;

  /** Sealed for the account (`unsubscribe-footer`), bound to this domain's id; null: the platform's. */
  @Column('text', { name: 'unsubscribe_footer', nullable: true })
  unsubscribeFooter!: string | null;

  /** A domain below the platform's own zone: active without DNS, and for approved recipients alone. */
  @Column('boolean', { default: false })
  sandbox!: boolean;

  /** Recipients a day and a month (UTC) at most; null: no limit. */
  @Column('integer', { name: 'day_limit', nullable: true })
  dayLimit!: number | null;

  @Column('integer', { name: 'month_limit', nullable: true })
  monthLimit!: number | null;

  /** Sealed for the account (`allowed-senders`), bound to this id; null: anybody may stand in From. */
  @Column('text', { name: 'allowed_senders', nullable: true })
  allowedSenders!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
