import { Body, Controller, Get, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { Caller, Clock, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { keepSession } from '../sessions/session-cookie.ts';
import { SessionsService } from '../sessions/sessions.service.ts';
import { SignInService } from '../sign-in/sign-in.service.ts';
import { chosenPassword, claimedPassword } from './passwords.service.ts';
import { userItem, userShape } from './user-view.ts';
import { UsersService } from './users.service.ts';

const acceptance = form({ token: z.string('is missing').max(128), password: chosenPassword });
const passwordChange = form({ current_password: claimedPassword, password: chosenPassword });

const ownUser = z.object({ user: userShape.extend({ scopes: z.array(z.string()) }) });

/** What users do about themselves. Declared before `/v1/users/:id`. */
@Controller('v1/users')
export class OwnUserController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly signIn: SignInService,
    private readonly clock: Clock,
  ) {}

  @Operation('Choose a password with the token of an invitation, once', { answer: said })
  @Post('invitation')
  @HttpCode(200)
  async accept(@Body({ schema: acceptance }) body: z.infer<typeof acceptance>): Promise<Answer<typeof said>> {
    await this.signIn.accept(body.token, body.password);
    return { message: 'The password is set: sign in with it' };
  }

  @Operation('Show who is signed in, and what they may do', { answer: ownUser })
  @Get('me')
  async me(@Caller() caller: Identity): Promise<Answer<typeof ownUser>> {
    const user = await this.users.known(await this.sessions.user(caller));
    return { user: { ...userItem(user), scopes: caller.scopes } };
  }

  @Operation('Change the own password; all other sessions of the user end', { answer: said })
  @Put('me/password')
  async changePassword(
    @Caller() caller: Identity,
    @Body({ schema: passwordChange }) body: z.infer<typeof passwordChange>,
    @Headers('x-forwarded-for') address: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<typeof said>> {
    const begun = await this.signIn.changePassword(caller, body.current_password, body.password, address);
    keepSession(reply, begun, this.clock.now());
    return { message: 'Password changed' };
  }
}
