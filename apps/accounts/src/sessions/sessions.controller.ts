import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Res } from '@nestjs/common';
import { Caller, Clock, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { shownCode } from '../second-factor/code.ts';
import { SignInService } from '../sign-in/sign-in.service.ts';
import { claimedPassword } from '../users/passwords.service.ts';
import { dropSession, keepSession } from './session-cookie.ts';
import { begunSession, sessionItem, sessionShape } from './session-view.ts';
import { SessionsService } from './sessions.service.ts';

const credentials = form({
  email: z.string('is missing').max(320),
  password: claimedPassword,
  account: z.uuid('is no id of an account').optional(),
  code: shownCode.optional(),
});
const sessionId = z.uuid('is no id of a session');

const sessionList = listOf(sessionShape.extend({ current: z.boolean() }));

@Controller('v1/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly signIn: SignInService,
    private readonly clock: Clock,
  ) {}

  @Operation('Sign in', {
    answer: begunSession,
    description:
      'Answers a cookie that stands for the user from then on. Whoever is a user of several accounts says of which; ' +
      'else it is the one they have been a user of for longest. `code`: of the authenticator of whoever has one, or a recovery code.',
  })
  @Post()
  @HttpCode(200)
  async begin(
    @Body({ schema: credentials }) body: z.infer<typeof credentials>,
    @Headers('x-forwarded-for') address: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof begunSession>> {
    const begun = await this.signIn.withPassword(body, address);
    keepSession(reply, begun, this.clock.now());
    const { session } = begun;
    const message = session.limited ? 'Signed in, to set up a second factor and nothing else' : 'Signed in';
    return { message, session: sessionItem(session) };
  }

  @Operation("List the user's own sessions", { answer: sessionList })
  @Get()
  async list(@Caller() caller: Identity): Promise<Answer<typeof sessionList>> {
    const items = (await this.sessions.list(caller)).map((session) => ({
      ...sessionItem(session),
      current: session.id === caller.keyId,
    }));
    return { total_count: items.length, items };
  }

  @Operation('Sign out everywhere', { answer: said })
  @Delete()
  async endAll(
    @Caller() caller: Identity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof said>> {
    await this.sessions.endAll(caller);
    dropSession(reply);
    return { message: 'Signed out everywhere' };
  }

  @Operation('Let the session live on', {
    answer: said,
    description: 'Its idle time begins anew, as with any other use; the gateway tells it this way.',
  })
  @Put('current')
  async renew(@Caller() caller: Identity): Promise<Answer<typeof said>> {
    await this.sessions.renew(caller);
    return { message: 'The session lives on' };
  }

  @Operation('Sign out', { answer: said })
  @Delete('current')
  async endCurrent(
    @Caller() caller: Identity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof said>> {
    await this.sessions.end(caller, caller.keyId);
    dropSession(reply);
    return { message: 'Signed out' };
  }

  @Operation("End another of the user's own sessions", { answer: said })
  @Delete(':id')
  async end(@Caller() caller: Identity, @Param('id', { schema: sessionId }) id: string): Promise<Answer<typeof said>> {
    await this.sessions.end(caller, id);
    return { message: 'Session has ended' };
  }
}
