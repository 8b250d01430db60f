import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { Caller, CONFIG } from '@lethe/service';
import type { Identity } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { domainName, knownDomain } from './domain-name.ts';
import { domainItem, domainView } from './domain-view.ts';
import type { DomainView } from './domain-view.ts';
import { DomainsService } from './domains.service.ts';

const page = z.object({
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(100),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
  state: z.enum(['active', 'unverified', 'disabled']).optional(),
});
const newDomain = z.object(
  {
    name: domainName,
    dkim_selector: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i, 'must be one label of a domain name')
      .transform((selector) => selector.toLowerCase())
      .default('lethe'),
  },
  'a form or JSON with a name is needed',
);

/** Mailgun's domains (mailgun-api §6). v3 and v4 are one: PHP and Python call v3, JavaScript and Go v4. */
@Controller(['v3/domains', 'v4/domains'])
export class DomainsController {
  constructor(
    private readonly domains: DomainsService,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  @Get()
  async list(@Caller() caller: Identity, @Query({ schema: page }) query: z.infer<typeof page>): Promise<unknown> {
    const [domains, total] = await this.domains.list(caller, query);
    return { total_count: total, items: domains.map(domainItem) };
  }

  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Body({ schema: newDomain }) body: z.infer<typeof newDomain>,
  ): Promise<DomainView> {
    const domain = await this.domains.create(caller, body.name, body.dkim_selector);
    return domainView(domain, this.config, 'Domain has been created');
  }

  @Get(':name')
  async get(@Caller() caller: Identity, @Param('name') name: string): Promise<DomainView> {
    return domainView(await this.domains.get(caller, knownDomain(name)), this.config);
  }

  @Put(':name/verify')
  async verify(@Caller() caller: Identity, @Param('name') name: string): Promise<DomainView> {
    const domain = await this.domains.verify(caller, knownDomain(name));
    return domainView(domain, this.config, 'Domain DNS records have been updated');
  }

  @Delete(':name')
  async remove(@Caller() caller: Identity, @Param('name') name: string): Promise<{ message: string }> {
    await this.domains.remove(caller, knownDomain(name));
    return { message: 'Domain will be deleted in the background' };
  }
}
