import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiError, Caller, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { SandboxRecipientsService } from './sandbox-recipients.service.ts';

const newRecipient = form({ email: z.string('is one address').max(320).optional() });

const recipientShape = z.object({ email: z.string(), activated: z.boolean() });
const recipientList = z.object({ recipients: z.array(recipientShape) });
const approved = said.extend({ recipient: recipientShape });

/** Mailgun's authorized recipients of the sandbox domain. `activated`: approved by the account is approved. */
@Controller('v5/sandbox/auth_recipients')
export class SandboxRecipientsController {
  constructor(private readonly recipients: SandboxRecipientsService) {}

  @Operation('List who may be sent to from the sandbox domain', { answer: recipientList })
  @Get()
  async list(@Caller() caller: Identity): Promise<Answer<typeof recipientList>> {
    return { recipients: (await this.recipients.list(caller)).map(item) };
  }

  /** The address comes in the query from Mailgun's clients; a form keeps it out of everybody's access logs. */
  @Operation('Approve somebody for the sandbox domain', { answer: approved })
  @Post()
  @HttpCode(200)
  async approve(
    @Caller() caller: Identity,
    @Body({ schema: newRecipient }) body: z.infer<typeof newRecipient>,
    @Query({ schema: newRecipient }) query: z.infer<typeof newRecipient>,
  ): Promise<Answer<typeof approved>> {
    const email = body.email ?? query.email;
    if (email === undefined) throw new ApiError(400, 'email: is missing', { field: 'email' });
    const address = await this.recipients.approve(caller, email);
    return { message: 'Sandbox recipient has been authorized', recipient: item(address) };
  }

  @Operation('Take somebody out of the sandbox domain', { answer: said })
  @Delete(':address')
  async remove(@Caller() caller: Identity, @Param('address') address: string): Promise<{ message: string }> {
    await this.recipients.remove(caller, address);
    return { message: 'Sandbox recipient deleted' };
  }
}

const item = (email: string): z.infer<typeof recipientShape> => ({ email, activated: true });
