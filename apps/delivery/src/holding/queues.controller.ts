import { Controller, Delete, Get, HttpCode } from '@nestjs/common';
import { Caller, Operation, type Identity } from '@lethe/service';
import { SettingsService } from '../settings/settings.service.ts';
import { HoldingService } from './holding.service.ts';
import { HoldsTable } from './holds.table.ts';
import { queuesView } from './queue.view.ts';

/** A domain's queues: whether they stand still, and what is in them given up (mailgun-api §2). */
@Controller('v3')
export class QueuesController {
  constructor(
    private readonly settings: SettingsService,
    private readonly holds: HoldsTable,
    private readonly holding: HoldingService,
  ) {}

  @Operation('Show whether the queues of a domain stand still')
  @Get('domains/:domain/sending_queues')
  show(@Caller() caller: Identity): unknown {
    const { domainId, accountId } = this.settings.ownDomain(caller);
    return queuesView(this.holds.pause('account', accountId) ?? this.holds.pause('domain', domainId));
  }

  @Operation('Drop the mail of a domain that waits', {
    description: 'Scheduled, deferred and paused mail ends as failed. Nothing of it is sent after the answer.',
  })
  @Delete(':domain/envelopes')
  @HttpCode(200)
  async clear(@Caller() caller: Identity): Promise<{ message: string }> {
    await this.holding.cancel(this.settings.ownDomain(caller));
    return { message: 'done' };
  }
}
