import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { canonicalDomain } from '@lethe/mail';
import { ApiError, Caller, Operation, said, type Answer, type Identity } from '@lethe/service';
import { SettingsService } from '../settings/settings.service.ts';
import type { Scope } from './hold.entity.ts';
import { HoldingService } from './holding.service.ts';
import { HoldsTable } from './holds.table.ts';
import { pauseForm, type PauseForm } from './pause.form.ts';
import { madePause, pauseList, pauseView } from './queue.view.ts';

/** Each is held against every message: more than a person can oversee would be no pause but a list of rules. */
const MAX_DESTINATIONS = 1_000;

/** Mail waits: an account's own of one domain, and by the operator all of an account, or all to a destination. */
@Controller('v1/pauses')
export class PausesController {
  constructor(
    private readonly settings: SettingsService,
    private readonly holds: HoldsTable,
    private readonly holding: HoldingService,
  ) {}

  @Operation('List what is paused', { answer: pauseList })
  @Get()
  list(@Caller() caller: Identity): Answer<typeof pauseList> {
    this.assertOperator(caller);
    return { items: this.holds.pauses().map(pauseView) };
  }

  @Operation('Pause sending for a domain', {
    answer: madePause,
    description: 'Its mail waits until it is resumed, or until `until` where that is said, and expires all the same.',
  })
  @Put('domains/:domain')
  pauseDomain(
    @Caller() caller: Identity,
    @Body({ schema: pauseForm }) form: PauseForm,
  ): Promise<Answer<typeof madePause>> {
    return this.pause('domain', this.settings.ownDomain(caller).domainId, form);
  }

  @Operation('Resume sending for a domain', { answer: said })
  @Delete('domains/:domain')
  @HttpCode(200)
  resumeDomain(@Caller() caller: Identity): Promise<Answer<typeof said>> {
    return this.resume('domain', this.settings.ownDomain(caller).domainId);
  }

  @Operation('Pause sending for an account, which can go on handing mail in', { answer: madePause })
  @Put('accounts/:account')
  pauseAccount(
    @Caller() caller: Identity,
    @Param('account') id: string,
    @Body({ schema: pauseForm }) form: PauseForm,
  ): Promise<Answer<typeof madePause>> {
    this.assertOperator(caller);
    if (!this.settings.account(id)) throw new ApiError(404, 'Account not found');
    return this.pause('account', id, form);
  }

  @Operation('Resume sending for an account', { answer: said })
  @Delete('accounts/:account')
  @HttpCode(200)
  resumeAccount(@Caller() caller: Identity, @Param('account') id: string): Promise<Answer<typeof said>> {
    this.assertOperator(caller);
    return this.resume('account', id);
  }

  @Operation('Pause sending to a destination, the domain of addresses', { answer: madePause })
  @Put('destinations/:name')
  pauseDestination(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: pauseForm }) form: PauseForm,
  ): Promise<Answer<typeof madePause>> {
    this.assertOperator(caller);
    const paused = this.holds.pauses().filter(({ scope }) => scope === 'destination').length;
    if (paused >= MAX_DESTINATIONS)
      throw new ApiError(400, `name: at most ${MAX_DESTINATIONS} destinations are paused`);
    return this.pause('destination', destination(name), form);
  }

  @Operation('Resume sending to a destination', { answer: said })
  @Delete('destinations/:name')
  @HttpCode(200)
  resumeDestination(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof said>> {
    this.assertOperator(caller);
    return this.resume('destination', destination(name));
  }

  private async pause(scope: Scope, target: string, { until }: PauseForm): Promise<Answer<typeof madePause>> {
    await this.holding.pause(scope, target, until);
    const pause = this.holds.pause(scope, target);
    return { message: 'Sending is paused', ...(pause ? { pause: pauseView(pause) } : {}) };
  }

  private async resume(scope: Scope, target: string): Promise<Answer<typeof said>> {
    if (!(await this.holding.resume(scope, target))) throw new ApiError(404, 'Pause not found');
    return { message: 'Sending is resumed' };
  }

  private assertOperator({ scopes }: Identity): void {
    if (!scopes.includes('operator')) throw new ApiError(403, 'Only an operator may do that');
    this.settings.assertFresh();
  }
}

function destination(name: string): string {
  const domain = canonicalDomain(name);
  if (domain === undefined) throw new ApiError(400, 'name: is not the domain of an address', { field: 'name' });
  return domain;
}
