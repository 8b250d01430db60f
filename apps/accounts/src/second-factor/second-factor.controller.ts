import { Body, Controller, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { Caller, Clock, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { keepSession } from '../sessions/session-cookie.ts';
import { claimedPassword } from '../users/passwords.service.ts';
import { shownCode } from './code.ts';
import { SecondFactorService } from './second-factor.service.ts';

const beginning = form({ current_password: claimedPassword });
const confirmation = form({ code: shownCode });
const removal = form({ current_password: claimedPassword, code: shownCode });
const begun = said.extend({ totp: z.object({ secret: z.string(), url: z.string() }) });
const confirmed = said.extend({ recovery_codes: z.array(z.string()) });

/** A user's own authenticator (RFC 6238). */
@Controller('v1/users/me/totp')
export class SecondFactorController {
  constructor(
    private readonly factors: SecondFactorService,
    private readonly clock: Clock,
  ) {}

  @Operation('Begin with an authenticator; its secret is answered this once', { answer: begun })
  @Post()
  @HttpCode(200)
  async begin(
    @Caller() caller: Identity,
    @Body({ schema: beginning }) body: z.infer<typeof beginning>,
    @Headers('x-forwarded-for') address: string,
  ): Promise<Answer<typeof begun>> {
    const totp = await this.factors.begin(caller, body.current_password, address);
    return { message: 'Show a code of the authenticator to confirm it', totp };
  }

  @Operation('Confirm the authenticator with a code of it; recovery codes are answered this once', {
    answer: confirmed,
    description: 'From then on signing in needs a code. All other sessions of the user end.',
  })
  @Put()
  async confirm(
    @Caller() caller: Identity,
    @Body({ schema: confirmation }) body: z.infer<typeof confirmation>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof confirmed>> {
    const { begun: next, recoveryCodes } = await this.factors.confirm(caller, body.code);
    keepSession(reply, next, this.clock.now());
    return { message: 'Signing in needs a code from now on', recovery_codes: recoveryCodes };
  }

  @Operation('Remove the authenticator, with the password and a code', { answer: said })
  @Post('removal')
  @HttpCode(200)
  async remove(
    @Caller() caller: Identity,
    @Body({ schema: removal }) body: z.infer<typeof removal>,
    @Headers('x-forwarded-for') address: string,
  ): Promise<Answer<typeof said>> {
    await this.factors.remove(caller, { password: body.current_password, code: body.code }, address);
    return { message: 'Signing in needs no code any more' };
  }
}
