import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Caller, Operation } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { z } from 'zod';
import { domainName } from '../domains/domain-name.ts';
import type { ApiKey } from './api-key.entity.ts';
import { KeysService } from './keys.service.ts';
import { ROLE_NAMES } from './roles.ts';

const newKey = z
  .object({
    role: z.enum(ROLE_NAMES, `must be one of ${ROLE_NAMES.join(', ')}`),
    domain_name: domainName.optional(),
    expiration: z.coerce
      .number('must be a number of seconds')
      .int()
      .positive()
      .max(10 * 365 * 86_400)
      .optional(),
  })
  .refine(({ role, domain_name }) => domain_name === undefined || role === 'sending', {
    path: ['role'],
    message: 'must be sending for the key of a domain',
  });
const filter = z.object({ domain_name: domainName.optional() });
const keyId = z.uuid('is no id of an API key');

/** Mailgun's key management (mailgun-api §12), thin. */
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Operation('List API keys')
  @Get()
  async list(@Caller() caller: Identity, @Query({ schema: filter }) query: z.infer<typeof filter>): Promise<unknown> {
    const items = (await this.keys.list(caller, query.domain_name)).map(keyItem);
    return { total_count: items.length, items };
  }

  @Operation('Create an API key; its secret is answered this once')
  @Post()
  @HttpCode(200)
  async create(@Caller() caller: Identity, @Body({ schema: newKey }) body: z.infer<typeof newKey>): Promise<unknown> {
    const { key, secret } = await this.keys.create(caller, {
      role: body.role,
      domainName: body.domain_name,
      lifetimeSeconds: body.expiration,
    });
    const made = { ...keyItem(key), domain_name: body.domain_name ?? '', secret };
    // Nested for mailgun-go, flat for mailgun.js.
    return { message: 'great success', key: made, ...made };
  }

  @Operation('Delete an API key')
  @Delete(':id')
  async remove(@Caller() caller: Identity, @Param('id', { schema: keyId }) id: string): Promise<{ message: string }> {
    await this.keys.remove(caller, id);
    return { message: 'key deleted' };
  }
}

function keyItem(key: ApiKey): Record<string, unknown> {
  const createdAt = withoutZone(key.createdAt);
  return {
    id: key.id,
    description: '',
    kind: key.domainId === null ? 'user' : 'domain',
    role: key.role,
    hint: key.hint,
    created_at: createdAt,
    updated_at: createdAt,
    expires_at: key.expiresAt === null ? '' : withoutZone(key.expiresAt),
    is_disabled: false,
    domain_name: key.domain?.name ?? '',
    requestor: '',
    user_name: '',
  };
}

/** `2006-01-02T15:04:05`, UTC: the form `/v1/keys` has. */
const withoutZone = (date: Date): string => date.toISOString().slice(0, 19);
