import { Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { Vault } from '@lethe/vault';
import type { Submission } from '../accept/submission.ts';
import { assertApproved } from './sandbox.policy.ts';

/** Whether a message that was read may be accepted: what its domain's settings say about it, whichever door it came through. */
@Injectable()
export class PermissionService {
  constructor(private readonly vault: Vault) {}

  /** @throws ApiError 403. */
  async assertMay(submission: Submission, { accountId, sandbox }: DomainSettings): Promise<void> {
    if (!sandbox) return;
    const normalForms = submission.recipients.map(({ normalForm }) => normalForm);
    // Who is refused does not become a subject by that.
    assertApproved(sandbox, await this.vault.knownSubjects(accountId, normalForms));
  }
}
