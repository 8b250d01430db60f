import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Caller, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { domainName } from '../domains/domain-name.ts';
import { form } from '../domains/form.ts';
import type { ApiKey } from './api-key.entity.ts';
import { KeysService } from './keys.service.ts';
import { ROLE_NAMES } from './roles.ts';

const KINDS = ['user', 'domain', 'web'] as const;
const kind = z.enum(KINDS, `must be one of ${KINDS.join(', ')}`);
const newKey = form({
  role: z.enum(ROLE_NAMES, `must be one of ${ROLE_NAMES.join(', ')}`),
  kind: kind.optional(),
  domain_name: domainName.optional(),
  description: z.string('is one text').max(256, 'has up to 256 characters').optional(),
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
  })
  .refine(({ kind: wanted, domain_name }) => wanted !== 'domain' || domain_name !== undefined, {
    path: ['domain_name'],
    message: 'is missing',
  })
  .refine(({ kind: wanted }) => wanted !== 'web', { path: ['kind'], message: 'is not supported yet' });
const filter = form({ domain_name: domainName.optional(), kind: kind.optional() });
const keyId = z.uuid('is no id of an API key');

const keyShape = z.object({
  id: z.uuid(),
  description: z.string(),
  kind,
  role: z.enum(ROLE_NAMES),
  hint: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  expires_at: z.string(),
  is_disabled: z.boolean(),
  domain_name: z.string(),
  requestor: z.string(),
  user_name: z.string(),
});
const keyList = listOf(keyShape);
const withSecret = keyShape.extend({ secret: z.string() });
const madeKey = said.extend({ key: withSecret, ...withSecret.shape });
const publicKey = said.extend({ key: z.string() });

/** Mailgun's key management (mailgun-api §12), thin. */
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Operation('List API keys', { answer: keyList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: filter }) query: z.infer<typeof filter>,
  ): Promise<Answer<typeof keyList>> {
    const keys = await this.keys.list(caller, query.domain_name);
    const items = keys
      .filter(({ key }) => query.kind === undefined || kindOf(key) === query.kind)
      .map(({ key, description }) => keyItem(key, description));
    return { total_count: items.length, items };
  }

  @Operation('Create an API key; its secret is answered this once', { answer: madeKey })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Body({ schema: newKey }) body: z.infer<typeof newKey>,
  ): Promise<Answer<typeof madeKey>> {
    const { key, secret } = await this.keys.create(caller, {
      role: body.role,
      domainName: body.domain_name,
      lifetimeSeconds: body.expiration,
      description: body.description,
    });
    const made = { ...keyItem(key, body.description ?? ''), domain_name: body.domain_name ?? '', secret };
    // Nested for mailgun-go, flat for mailgun.js.
    return { message: 'great success', key: made, ...made };
  }

  /** Mailgun's key for web pages. */
  @Operation('Make the public key anew; the one before ends', { answer: publicKey })
  @Post('public')
  @HttpCode(200)
  async createPublic(@Caller() caller: Identity): Promise<Answer<typeof publicKey>> {
    const { secret } = await this.keys.createPublic(caller);
    return { message: 'public key successfully updated', key: secret };
  }

  @Operation('Delete an API key', { answer: said })
  @Delete(':id')
  async remove(@Caller() caller: Identity, @Param('id', { schema: keyId }) id: string): Promise<{ message: string }> {
    await this.keys.remove(caller, id);
    return { message: 'key deleted' };
  }
}

const kindOf = ({ domainId, role }: ApiKey): (typeof KINDS)[number] =>
  role === 'public' ? 'web' : domainId === null ? 'user' : 'domain';

function keyItem(key: ApiKey, description: string): z.infer<typeof keyShape> {
  const createdAt = withoutZone(key.createdAt);
  return {
    id: key.id,
    description,
    kind: kindOf(key),
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
