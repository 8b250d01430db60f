import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiError, Caller, CONFIG, listOf, Operation, said } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import type { AccountsConfig } from '../config.ts';
import { selector } from '../dkim/selector.ts';
import { domainName, knownDomain } from './domain-name.ts';
import { chosen, domainOptions } from './domain-options.ts';
import { domainItem, domainShape, domainView, wholeDomain } from './domain-view.ts';
import type { DomainView } from './domain-view.ts';
import { DomainsService } from './domains.service.ts';
import { form } from './form.ts';

const page = form({
  limit: z.coerce.number('must be a number').int().min(1).max(1_000).default(100),
  skip: z.coerce.number('must be a number').int().min(0).default(0),
  state: z.enum(['active', 'unverified', 'disabled'], 'must be active, unverified or disabled').optional(),
  sort: z.enum(['name', 'name:asc', 'name:desc'], 'must be name, name:asc or name:desc').default('name'),
  search: z.string('is one text').max(253).toLowerCase().optional(),
  authority: z.string('is one domain name').max(253).toLowerCase().optional(),
});
const newDomain = form({
  name: domainName,
  dkim_selector: selector.default('lethe'),
  ...domainOptions,
});
const changes = form(domainOptions);
const domainList = listOf(domainShape);
const webPrefix = form({ web_prefix: domainOptions.web_prefix });

/** Mailgun's domains (mailgun-api §6). v3 and v4 are one: PHP and Python call v3, JavaScript and Go v4. */
@Controller(['v3/domains', 'v4/domains'])
export class DomainsController {
  constructor(
    private readonly domains: DomainsService,
    @Inject(CONFIG) private readonly config: AccountsConfig,
  ) {}

  @Operation('List domains', { answer: domainList })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Query({ schema: page }) query: z.infer<typeof page>,
  ): Promise<Answer<typeof domainList>> {
    const { sort, ...rest } = query;
    const [domains, total] = await this.domains.list(caller, { ...rest, descending: sort === 'name:desc' });
    return { total_count: total, items: domains.map(domainItem) };
  }

  @Operation('Create a domain', { answer: wholeDomain })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Body({ schema: newDomain }) body: z.infer<typeof newDomain>,
  ): Promise<DomainView> {
    const domain = await this.domains.create(caller, body.name, body.dkim_selector, chosen(body));
    return domainView(domain, this.config, 'Domain has been created');
  }

  @Operation('Show a domain and its DNS records', { answer: wholeDomain })
  @Get(':name')
  async get(@Caller() caller: Identity, @Param('name') name: string): Promise<DomainView> {
    return domainView(await this.domains.get(caller, knownDomain(name)), this.config);
  }

  @Operation('Change a domain', { answer: wholeDomain })
  @Put(':name')
  async update(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: changes }) body: z.infer<typeof changes>,
  ): Promise<DomainView> {
    const domain = await this.domains.update(caller, knownDomain(name), chosen(body));
    return domainView(domain, this.config, 'Domain has been updated');
  }

  /** The older way to change it alone; JavaScript's and PHP's clients put the value in the query. */
  @Operation('Change the host of tracking links', { answer: said })
  @Put(':name/web_prefix')
  async changeWebPrefix(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: webPrefix }) body: z.infer<typeof webPrefix>,
    @Query({ schema: webPrefix }) query: z.infer<typeof webPrefix>,
  ): Promise<{ message: string }> {
    const prefix = body.web_prefix ?? query.web_prefix;
    if (prefix === undefined) throw new ApiError(400, 'web_prefix: is missing', { field: 'web_prefix' });
    await this.domains.update(caller, knownDomain(name), { webPrefix: prefix });
    return { message: 'Domain web prefix updated' };
  }

  @Operation('Look for the DNS records of a domain', { answer: wholeDomain })
  @Put(':name/verify')
  async verify(@Caller() caller: Identity, @Param('name') name: string): Promise<DomainView> {
    const domain = await this.domains.verify(caller, knownDomain(name));
    return domainView(domain, this.config, 'Domain DNS records have been updated');
  }

  @Operation('Delete a domain', { answer: said })
  @Delete(':name')
  async remove(@Caller() caller: Identity, @Param('name') name: string): Promise<{ message: string }> {
    await this.domains.remove(caller, knownDomain(name));
    return { message: 'Domain will be deleted in the background' };
  }
}
