import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { Caller, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { form } from '../domains/form.ts';
import { USER_ROLE_NAMES } from './user-roles.ts';
import { userItem, userShape } from './user-view.ts';
import { UsersService } from './users.service.ts';
import type { Invited } from './users.service.ts';

const role = z.enum(USER_ROLE_NAMES, `must be one of ${USER_ROLE_NAMES.join(', ')}`);
const name = z.string('is one text').max(256, 'has up to 256 characters');
const newUser = form({ email: z.string('is missing').max(320), name: name.default(''), role });
const change = form({ name: name.optional(), role: role.optional() });
const userId = z.uuid('is no id of a user');

const userList = listOf(userShape);
const oneUser = z.object({ user: userShape });
const changedUser = said.extend(oneUser.shape);
const invitedUser = changedUser.extend({
  invitation: z.object({ token: z.string(), expires_at: z.string().optional() }),
});

/** Who signs in for the caller's account; with an operator's rights: who runs the platform. */
@Controller('v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Operation('List users', { answer: userList })
  @Get()
  async list(@Caller() caller: Identity): Promise<Answer<typeof userList>> {
    const items = (await this.users.list(caller)).map(userItem);
    return { total_count: items.length, items };
  }

  @Operation('Invite a user; the token that lets them choose a password is answered this once', { answer: invitedUser })
  @Post()
  @HttpCode(200)
  async invite(
    @Caller() caller: Identity,
    @Body({ schema: newUser }) body: z.infer<typeof newUser>,
  ): Promise<Answer<typeof invitedUser>> {
    return invited('User has been invited', await this.users.invite(caller, body));
  }

  @Operation('Show a user', { answer: oneUser })
  @Get(':id')
  async get(@Caller() caller: Identity, @Param('id', { schema: userId }) id: string): Promise<Answer<typeof oneUser>> {
    return { user: userItem(await this.users.get(caller, id)) };
  }

  @Operation('Change the role or the name of a user; with another role they sign in again', { answer: changedUser })
  @Put(':id')
  async update(
    @Caller() caller: Identity,
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: change }) body: z.infer<typeof change>,
  ): Promise<Answer<typeof changedUser>> {
    const user = await this.users.update(caller, id, {
      ...(body.role === undefined ? {} : { role: body.role }),
      ...(body.name === undefined ? {} : { name: body.name }),
    });
    return { message: 'User has been changed', user: userItem(user) };
  }

  @Operation('Remove a user', { answer: said })
  @Delete(':id')
  async remove(@Caller() caller: Identity, @Param('id', { schema: userId }) id: string): Promise<Answer<typeof said>> {
    await this.users.remove(caller, id);
    return { message: 'User has been removed' };
  }

  @Operation('Invite a user anew: their password and all their sessions end', { answer: invitedUser })
  @Post(':id/invitation')
  @HttpCode(200)
  async inviteAnew(
    @Caller() caller: Identity,
    @Param('id', { schema: userId }) id: string,
  ): Promise<Answer<typeof invitedUser>> {
    return invited('User has been invited anew', await this.users.inviteAnew(caller, id));
  }

  @Operation('End all sessions of a user', { answer: said })
  @Delete(':id/sessions')
  async endSessions(
    @Caller() caller: Identity,
    @Param('id', { schema: userId }) id: string,
  ): Promise<Answer<typeof said>> {
    await this.users.endSessions(caller, id);
    return { message: 'Sessions have ended' };
  }
}

const invited = (message: string, { token, ...user }: Invited): z.infer<typeof invitedUser> => ({
  message,
  user: userItem(user),
  invitation: { token, expires_at: user.row.invitationExpiresAt?.toISOString() },
});
