import { Controller, Delete, Get, HttpCode } from '@nestjs/common';
import { Caller, Operation, type Answer, type Identity, said } from '@lethe/service';
import { SettingsService } from '../settings/settings.service.ts';
import { HoldingService } from './holding.service.ts';
import { HoldsTable } from './holds.table.ts';
import { queuesShape, queuesView } from './queue.view.ts';

/** A domain's queues: whether they stand still, and what is in them given up (mailgun-api §2). */
@Controller('v3')
export class QueuesController {
  constructor(
    private readonly settings: SettingsService,
    private readonly holds: HoldsTable,
    private readonly holding: HoldingService,
  ) {}

  @Operation('Show whether the queues of a domain stand still', { answer: queuesShape })
  @Get('domains/:domain/sending_queues')
  show(@Caller() caller: Identity): Answer<typeof queuesShape> {
    const { domainId, accountId } = this.settings.ownDomain(caller);
    return queuesView(this.holds.pause('account', accountId) ?? this.holds.pause('domain', domainId));
  }

  @Operation('Drop the mail of a domain that waits', {
    answer: said,
    description: 'Scheduled, deferred and paused mail ends as failed. Nothing of it is sent after the answer.',
  })
  @Delete(':domain/envelopes')
  @HttpCode(200)
  async clear(@Caller() caller: Identity): Promise<{ message: string }> {
    await this.holding.cancel(this.settings.ownDomain(caller));
    return { message: 'done' };
  }
}
