import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import type { DoomedKey } from '../../ledger/ledger.entry.ts';
import { LedgerRepository } from '../../ledger/ledger.repository.ts';
import { ReleaseService } from '../../release/release.service.ts';
import type { Kept } from '../completed-request.ts';
import { OpenRequestRepository, setLedgerPosition } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/**
 * 7. Which bodies can go, and which others still wait for; then the ledger says what is to be destroyed, before anything is. The
 * ledger lies in another store than the keys: a vault that comes back from a backup is brought up to date from it.
 */
@Injectable()
export class ReleaseStep implements RequestStep {
  readonly stage = 'release';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly release: ReleaseService,
    private readonly ledger: LedgerRepository,
    private readonly keeper: VaultKeeper,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    const { id: requestId, accountId } = request;
    const found = await this.release.ofRequest(requestId);
    if (found === undefined) return false;
    const subjects = await this.requests.subjectIds(requestId);
    const { position: vaultPosition } = await this.keeper.state();
    const next = { stage: 'destroy', findings: { kept: keptOf(found.waiting) } } as const;
    return this.requests.move(request, next, async (client) => {
      await this.release.forget(client, requestId);
      const doom = { kind: 'erasure', requestId, accountId, subjects, messages: found.free } as const;
      await setLedgerPosition(client, requestId, await this.ledger.append(client, doom, vaultPosition));
    });
  }
}

function keptOf(waiting: readonly DoomedKey[]): Kept[] {
  if (waiting.length === 0) return [];
  const until = new Date(Math.max(...waiting.map(({ dropAt }) => dropAt.getTime())));
  return [{ what: 'body', count: waiting.length, why: 'others-waiting', until }];
}
