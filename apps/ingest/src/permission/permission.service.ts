import { Injectable } from '@nestjs/common';
import type { AccountSettings, AllowedSenders, DomainSettings } from '@lethe/contracts';
import { ApiError } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { Submission } from '../accept/submission.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { QuotaService, type Limited } from './quota.service.ts';
import { assertApproved } from './sandbox.policy.ts';
import { assertAllowed } from './senders.policy.ts';

const NOTHING_TO_END = (): void => undefined;

/** Whether a message that was read may be accepted: what settings say about it, whichever door it came through. */
@Injectable()
export class PermissionService {
  constructor(
    private readonly domains: SendingDomains,
    private readonly vault: Vault,
    private readonly quotas: QuotaService,
  ) {}

  /**
   * Answers what to call when the message is committed or given up.
   * @throws ApiError 403 for whom it is from or to, 429 for a quota, 503 while unsure.
   */
  async admit(submission: Submission, domain: DomainSettings): Promise<() => void> {
    const account = this.domains.account(domain.accountId);
    await this.assertSenders(submission, domain, account);
    if (domain.sandbox) {
      const normalForms = submission.recipients.map(({ normalForm }) => normalForm);
      // Who is refused does not become a subject by that.
      assertApproved(domain.sandbox, await this.vault.knownSubjects(domain.accountId, normalForms));
    }
    const limited: Limited[] = [];
    const parent = account?.parentId === undefined ? undefined : this.domains.account(account.parentId);
    for (const one of [account, parent]) {
      if (one?.quota) limited.push({ id: one.accountId, what: 'account', quota: one.quota });
    }
    if (domain.quota) limited.push({ id: domain.domainId, what: 'domain', quota: domain.quota });
    return limited.length === 0 ? NOTHING_TO_END : this.quotas.take(limited, submission.recipients.length);
  }

  /** A domain's own list goes before its account's. */
  private async assertSenders(
    { related, otherAuthors = [] }: Submission,
    domain: DomainSettings,
    account: AccountSettings | undefined,
  ): Promise<void> {
    const own = domain.allowedSenders;
    const sealed = own ?? account?.allowedSenders;
    if (sealed === undefined) return;
    const recordId = own === undefined ? domain.accountId : domain.domainId;
    const expected = { account: domain.accountId, type: 'allowed-senders', recordId };
    const { senders } = await this.vault.openForAccount<AllowedSenders>(sealed, expected);
    if (otherAuthors === 'unclear') throw unclear();
    const authors = related.filter(({ role }) => role !== 'reply-to').map(({ normalForm }) => normalForm);
    assertAllowed(senders, [...authors, ...otherAuthors]);
  }
}

const unclear = (): ApiError =>
  new ApiError(
    403,
    'The sender cannot be told: where senders are limited, a message has one From that can be read whole, and at most one Sender',
  );
