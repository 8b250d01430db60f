import { DOMAIN_SETTINGS, MAX_DOMAIN_IDS } from '@lethe/contracts';
import { InjectTable, LocalTable } from '@lethe/kafka';
import { Clock } from '@lethe/service';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { LedgerApplier } from '../ledger/ledger.applier.ts';
import { LedgerRepository } from '../ledger/ledger.repository.ts';
import { OpenRequestRepository, setLedgerPosition } from '../requests/open-request.repository.ts';
import type { OpenRequest } from '../requests/request.ts';
import type { RequestStep } from '../requests/steps/step.ts';

/**
 * 2. The ledger says that the account is closed, then the vault destroys its secret: from here on nothing of it opens, whoever it is
 * about, and nobody of it is found or made. A person's secret waits until holders have erased; an account's has nothing to wait for.
 */
@Injectable()
export class ClosingCutOffStep implements RequestStep {
  readonly stage = 'cut-off';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly ledger: LedgerRepository,
    private readonly applier: LedgerApplier,
    private readonly keeper: VaultKeeper,
    private readonly clock: Clock,
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    if (request.ledgerPosition === null) return this.note(request);
    await this.applier.reach();
    const findings = { cutOff: new Date(this.clock.now()) };
    return this.requests.move(request, { stage: 'fence', state: 'executing', findings });
  }

  private async note(request: OpenRequest): Promise<boolean> {
    // Which domains it has is needed later, and accounts will have erased them by then.
    if (!this.domains.fresh) return false;
    const { id: requestId, accountId } = request;
    const own = [...this.domains.values()].filter((domain) => domain.accountId === accountId);
    // Of more than a command can name, what is kept by domain ends by its own limits.
    const domains = own.slice(0, MAX_DOMAIN_IDS).map(({ domainId }) => domainId);
    const { position } = await this.keeper.state();
    return this.requests.move(request, { stage: 'cut-off', findings: { domains } }, async (client) => {
      const doom = { kind: 'account', requestId, accountId, subjects: [], messages: [] } as const;
      await setLedgerPosition(client, requestId, await this.ledger.append(client, doom, position));
    });
  }
}
