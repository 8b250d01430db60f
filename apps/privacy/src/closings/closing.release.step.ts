import { Database } from '@lethe/database';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { LedgerApplier } from '../ledger/ledger.applier.ts';
import type { DoomedKey } from '../ledger/ledger.entry.ts';
import { ReleasedRepository } from '../ledger/released.repository.ts';
import { OpenRequestRepository } from '../requests/open-request.repository.ts';
import type { OpenRequest } from '../requests/request.ts';
import type { RequestStep } from '../requests/steps/step.ts';

/** Noted and destroyed together. */
const PAGE = 5_000;

/**
 * 7. Content keys of all messages of the account, and the secrets of its people. Nobody is asked who still waits for a message: nobody
 * does. The keys are noted first, until their drop time, so that a vault from a backup loses them again; of its people the ledger says
 * enough by naming the account. Killed in its midst, it begins anew and counts the same.
 */
@Injectable()
export class ClosingReleaseStep implements RequestStep {
  readonly stage = 'release';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly released: ReleasedRepository,
    private readonly applier: LedgerApplier,
    private readonly keeper: VaultKeeper,
    private readonly database: Database,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    let contentKeys = 0;
    for (let after: DoomedKey | undefined; ;) {
      const keys: DoomedKey[] = await this.keeper.condemned(request.id, PAGE, after);
      if (keys.length === 0) break;
      await this.database.withClientTransaction((client) => this.released.add(client, keys));
      await this.keeper.release(keys);
      contentKeys += keys.length;
      after = keys.at(-1);
    }
    await this.applier.forgetClosed();
    return this.requests.move(request, { stage: 'destroy', findings: { contentKeys } });
  }
}
