import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { Caller, listOf, Operation } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { knownDomain } from '../domains/domain-name.ts';
import { AllowedSendersService } from './allowed-senders.service.ts';

const list = z.object({
  sender: z.union(
    [z.string().transform((one) => [one]), z.array(z.string()).min(1)],
    'must be one or more addresses or domains',
  ),
});
type List = z.infer<typeof list>;
const senderList = listOf(z.string()).extend({ message: z.string().optional() });

/** Who may stand in From: for the account, and for one domain. Of this platform alone. */
@Controller('v1/allowed_senders')
export class AllowedSendersController {
  constructor(private readonly senders: AllowedSendersService) {}

  @Operation('List who may stand in From, for domains without a list of their own', { answer: senderList })
  @Get()
  async list(@Caller() caller: Identity): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.list(caller, undefined));
  }

  @Operation('Say who may stand in From, for domains without a list of their own', { answer: senderList })
  @Put()
  async replace(@Caller() caller: Identity, @Body({ schema: list }) body: List): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.replace(caller, undefined, body.sender), UPDATED);
  }

  @Operation('Let anybody stand in From, of domains without a list of their own', { answer: senderList })
  @Delete()
  @HttpCode(200)
  async remove(@Caller() caller: Identity): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.replace(caller, undefined, []), REMOVED);
  }

  @Operation('List who may stand in From, for a domain', { answer: senderList })
  @Get(':name')
  async listOf(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.list(caller, knownDomain(name)));
  }

  @Operation('Say who may stand in From, for a domain', { answer: senderList })
  @Put(':name')
  async replaceOf(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: list }) body: List,
  ): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.replace(caller, knownDomain(name), body.sender), UPDATED);
  }

  @Operation('Let whom the account allows stand in From, for a domain', { answer: senderList })
  @Delete(':name')
  @HttpCode(200)
  async removeOf(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof senderList>> {
    return shown(await this.senders.replace(caller, knownDomain(name), []), REMOVED);
  }
}

const UPDATED = 'Allowed senders updated';
const REMOVED = 'Allowed senders removed';

const shown = (items: readonly string[], message?: string): Answer<typeof senderList> => ({
  ...(message === undefined ? {} : { message }),
  items,
  total_count: items.length,
});
