import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { Caller, CONFIG, Operation, type Identity } from '@lethe/service';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../config.ts';
import { queryFields, readYesNo } from '../form/fields.ts';
import { ApiForms } from '../form/api.forms.ts';
import { FORMS } from '../messages/message.fields.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { ReadingBudget } from '../stored/reading.budget.ts';
import { pageFields, pageOf, readPageQuery } from './pages.ts';
import { activeFields, formOctets, readDescription, readNewTemplate, templateFields } from './template.input.ts';
import { shownTemplate, shownVersion } from './template.ts';
import { TemplatesService, type WithVersion } from './templates.service.ts';

/** Templates (mailgun-api §9). */
@Controller('v3/:domain/templates')
export class TemplatesController {
  constructor(
    private readonly templates: TemplatesService,
    private readonly domains: SendingDomains,
    private readonly forms: ApiForms,
    private readonly budget: ReadingBudget,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('List templates', { query: pageFields.extend(activeFields.shape) })
  @Get()
  async list(@Caller() caller: Identity, @Query() given: unknown): Promise<unknown> {
    const domain = this.domains.owned(caller);
    const fields = queryFields(given);
    const query = readPageQuery(fields);
    const active = readYesNo(fields, 'active') ?? false;
    const { items, paging } = pageOf(await this.templates.list(domain), ({ name }) => name, query, {
      collection: `${this.config.PUBLIC_URL}/v3/${encodeURIComponent(domain.name)}/templates`,
      ...(active ? { filter: { active: 'yes' } } : {}),
    });
    if (!active) return { items: items.map(shownTemplate), paging };
    const room = query.limit * this.config.TEMPLATE_MAX_BYTES;
    return this.budget.run(room, async () => {
      const found = await this.templates.withActive(domain, items);
      return { items: found.map(shownWithVersion), paging };
    });
  }

  @Operation('Store a template', { body: templateFields, takes: FORMS })
  @Post()
  @HttpCode(200)
  async create(@Caller() caller: Identity, @Req() request: FastifyRequest, @Query() query: unknown): Promise<unknown> {
    const domain = this.domains.owned(caller);
    const { TEMPLATE_MAX_BYTES: most } = this.config;
    const template = await this.forms.large(request, query, formOctets(most), ({ fields }) =>
      this.templates.create(domain, readNewTemplate(fields, most)),
    );
    return { message: 'template has been stored', template: shownWithVersion(template) };
  }

  @Operation('Delete all templates of a domain')
  @Delete()
  async removeAll(@Caller() caller: Identity): Promise<unknown> {
    await this.templates.removeAll(this.domains.owned(caller));
    return { message: 'templates have been deleted' };
  }

  @Operation('Show a template', { query: activeFields })
  @Get(':name')
  async get(@Caller() caller: Identity, @Param('name') name: string, @Query() query: unknown): Promise<unknown> {
    const domain = this.domains.owned(caller);
    const template = await this.templates.get(domain, name);
    if (!(readYesNo(queryFields(query), 'active') ?? false)) return { template: shownTemplate(template) };
    const [found] = await this.templates.withActive(domain, [template]);
    return { template: found && shownWithVersion(found) };
  }

  @Operation('Describe a template', { body: templateFields.pick({ description: true }), takes: FORMS })
  @Put(':name')
  async update(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<unknown> {
    const domain = this.domains.owned(caller);
    const { fields } = await this.forms.small(request, query);
    const kept = await this.templates.describe(domain, name, readDescription(fields));
    return { message: 'template has been updated', template: { name: kept } };
  }

  @Operation('Delete a template and its versions')
  @Delete(':name')
  async remove(@Caller() caller: Identity, @Param('name') name: string): Promise<unknown> {
    const kept = await this.templates.remove(this.domains.owned(caller), name);
    return { message: 'template has been deleted', template: { name: kept } };
  }
}

const shownWithVersion = ({ version, ...template }: WithVersion): unknown => ({
  ...shownTemplate(template),
  ...(version ? { version: shownVersion(version) } : {}),
});
