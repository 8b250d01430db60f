import { Body, Controller, Delete, Headers, HttpCode, Post, Res } from '@nestjs/common';
import { Caller, Clock, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { shownCode } from '../second-factor/code.ts';
import { keepSession } from '../sessions/session-cookie.ts';
import { begunSession, sessionItem } from '../sessions/session-view.ts';
import { claimedPassword } from '../users/passwords.service.ts';
import { ProviderSignInService } from './provider-sign-in.service.ts';
import type { BegunFlow } from './provider-sign-in.service.ts';

const beginning = form({ account: z.uuid('is no id of an account').optional() });
const invitation = form({ token: z.string('is missing').max(128) });
const linking = form({ current_password: claimedPassword, code: shownCode.optional() });
const answer = form({
  flow: z.string('is missing').max(128),
  query: z.string('is missing').max(4_096, 'has up to 4096 characters'),
});
const begunFlow = said.extend({ url: z.string(), flow: z.string() });
const DESCRIPTION =
  'The page keeps `flow` and leads the browser to `url`. The provider leads it back to `/sign-in` with a query, which the page posts ' +
  'with `flow` to `/v1/sessions/provider/answer` within ten minutes.';

/** Signing in at the OpenID provider of this installation. */
@Controller('v1')
export class ProviderController {
  constructor(
    private readonly providers: ProviderSignInService,
    private readonly clock: Clock,
  ) {}

  @Operation('Begin to sign in at the provider', {
    answer: begunFlow,
    description: DESCRIPTION,
  })
  @Post('sessions/provider')
  @HttpCode(200)
  async begin(@Body({ schema: beginning }) body: z.infer<typeof beginning>): Promise<Answer<typeof begunFlow>> {
    return begun(await this.providers.begin(body.account));
  }

  @Operation('Begin to sign in at the provider with an invitation, instead of a password', {
    answer: begunFlow,
    description: DESCRIPTION,
  })
  @Post('users/invitation/provider')
  @HttpCode(200)
  async beginInvited(
    @Body({ schema: invitation }) body: z.infer<typeof invitation>,
  ): Promise<Answer<typeof begunFlow>> {
    return begun(await this.providers.beginInvited(body.token));
  }

  @Operation('Begin to link the own user with whoever signs in at the provider', {
    answer: begunFlow,
    description: `${DESCRIPTION} \`code\`: of the authenticator of whoever has one, or a recovery code.`,
  })
  @Post('users/me/provider')
  @HttpCode(200)
  async beginLinking(
    @Caller() caller: Identity,
    @Body({ schema: linking }) body: z.infer<typeof linking>,
    @Headers('x-forwarded-for') address: string,
  ): Promise<Answer<typeof begunFlow>> {
    const shown = { password: body.current_password, code: body.code };
    return begun(await this.providers.beginLinking(caller, shown, address));
  }

  @Operation('Sign in with what the provider answered', {
    answer: begunSession,
    description: 'Links first, where that was begun: then all other sessions of the user end.',
  })
  @Post('sessions/provider/answer')
  @HttpCode(200)
  async answer(
    @Body({ schema: answer }) body: z.infer<typeof answer>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof begunSession>> {
    const signedIn = await this.providers.answer(body.flow, body.query);
    keepSession(reply, signedIn, this.clock.now());
    return { message: 'Signed in', session: sessionItem(signedIn.session) };
  }

  @Operation('Let the own user sign in with the password alone again', { answer: said })
  @Delete('users/me/provider')
  async unlink(@Caller() caller: Identity): Promise<Answer<typeof said>> {
    await this.providers.unlink(caller);
    return { message: 'Signing in at the provider leads nowhere any more' };
  }
}

const begun = ({ url, flow }: BegunFlow): Answer<typeof begunFlow> => ({
  message: 'Sign in at the provider',
  url,
  flow,
});
