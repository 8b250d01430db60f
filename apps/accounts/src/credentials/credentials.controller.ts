import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiError, Caller, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { knownDomain } from '../domains/domain-name.ts';
import { CredentialsService } from './credentials.service.ts';
import { chosenPassword } from './login.ts';

const page = z.object({
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(100),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
});
const newCredential = z.object({
  // `mailbox` is the older name of the field.
  login: z.string().optional(),
  mailbox: z.string().optional(),
  password: chosenPassword.optional(),
});
const newPassword = z.object({ password: chosenPassword });

const credentialList = listOf(
  z.object({ login: z.string(), mailbox: z.string(), created_at: z.string(), size_bytes: z.null() }),
);
const madeCredential = said.extend({ credentials: z.record(z.string(), z.string()).optional() });
const removedCredential = said.extend({ spec: z.string() });
const removedCredentials = said.extend({ count: z.int() });

/** Mailgun's SMTP credentials (mailgun-api §6). A password is answered once, and only if it was made here. */
@Controller(['v3/domains/:name/credentials', 'v4/domains/:name/credentials'])
export class CredentialsController {
  constructor(private readonly credentials: CredentialsService) {}

  @Operation('List SMTP credentials', { answer: credentialList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Query({ schema: page }) { skip, limit }: z.infer<typeof page>,
  ): Promise<Answer<typeof credentialList>> {
    const all = await this.credentials.list(caller, knownDomain(name));
    const items = all.slice(skip, skip + limit).map(({ login, createdAt }) => ({
      login,
      mailbox: login,
      created_at: createdAt.toUTCString().replace('GMT', '+0000'),
      size_bytes: null,
    }));
    return { total_count: all.length, items };
  }

  @Operation('Create SMTP credentials', { answer: madeCredential })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: newCredential }) body: z.infer<typeof newCredential>,
  ): Promise<Answer<typeof madeCredential>> {
    const wanted = body.login ?? body.mailbox;
    if (wanted === undefined) throw new ApiError(400, 'login: is missing', { field: 'login' });
    const { login, password } = await this.credentials.create(caller, knownDomain(name), {
      login: wanted,
      password: body.password,
    });
    const message = 'Created 1 credentials pair(s)';
    return password === undefined ? { message } : { message, credentials: { [login]: password } };
  }

  @Operation('Change the password of SMTP credentials', { answer: said })
  @Put(':login')
  async changePassword(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('login') login: string,
    @Body({ schema: newPassword }) { password }: z.infer<typeof newPassword>,
  ): Promise<{ message: string }> {
    await this.credentials.changePassword(caller, knownDomain(name), login, password);
    return { message: 'Password changed' };
  }

  @Operation('Delete SMTP credentials', { answer: removedCredential })
  @Delete(':login')
  async remove(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('login') login: string,
  ): Promise<Answer<typeof removedCredential>> {
    const spec = await this.credentials.remove(caller, knownDomain(name), login);
    return { message: 'Credentials have been deleted', spec };
  }

  @Operation('Delete all SMTP credentials of a domain', { answer: removedCredentials })
  @Delete()
  async removeAll(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof removedCredentials>> {
    const count = await this.credentials.removeAll(caller, knownDomain(name));
    return { message: 'All domain credentials have been deleted', count };
  }
}
