import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { Caller, CONFIG, Operation, paged, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../config.ts';
import { queryFields, readYesNo } from '../form/fields.ts';
import { ApiForms } from '../form/api.forms.ts';
import { FORMS } from '../messages/message.fields.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { ReadingBudget } from '../stored/reading.budget.ts';
import { pageFields, pageOf, readPageQuery } from './pages.ts';
import { activeFields, formOctets, readDescription, readNewTemplate, templateFields } from './template.input.ts';
import { shownTemplate, shownVersion, templateShape, versionShape } from './template.ts';
import { TemplatesService, type WithVersion } from './templates.service.ts';

/** With its active version where that is asked for. */
const withVersion = templateShape.extend({ version: versionShape.optional() });
const templateList = paged(withVersion);
const shownTemplateShape = z.object({ template: withVersion });
const storedTemplate = said.extend(shownTemplateShape.shape);
const namedTemplate = said.extend({ template: z.object({ name: z.string() }) });

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

  @Operation('List templates', { answer: templateList, query: pageFields.extend(activeFields.shape) })
  @Get()
  async list(@Caller() caller: Identity, @Query() given: unknown): Promise<Answer<typeof templateList>> {
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
    return this.budget.run(domain.accountId, room, async () => {
      const found = await this.templates.withActive(domain, items);
      return { items: found.map(shownWithVersion), paging };
    });
  }

  @Operation('Store a template', { answer: storedTemplate, body: templateFields, takes: FORMS })
  @Post()
  @HttpCode(200)
  async create(
    @Caller() caller: Identity,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof storedTemplate>> {
    const domain = this.domains.owned(caller);
    const { TEMPLATE_MAX_BYTES: most } = this.config;
    const template = await this.forms.large(request, query, formOctets(most), ({ fields }) =>
      this.templates.create(domain, readNewTemplate(fields, most)),
    );
    return { message: 'template has been stored', template: shownWithVersion(template) };
  }

  @Operation('Delete all templates of a domain', { answer: said })
  @Delete()
  async removeAll(@Caller() caller: Identity): Promise<Answer<typeof said>> {
    await this.templates.removeAll(this.domains.owned(caller));
    return { message: 'templates have been deleted' };
  }

  @Operation('Show a template', { answer: shownTemplateShape, query: activeFields })
  @Get(':name')
  async get(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Query() query: unknown,
  ): Promise<Answer<typeof shownTemplateShape>> {
    const domain = this.domains.owned(caller);
    const template = await this.templates.get(domain, name);
    if (!(readYesNo(queryFields(query), 'active') ?? false)) return { template: shownTemplate(template) };
    const [found] = await this.templates.withActive(domain, [template]);
    return { template: shownWithVersion(found ?? { ...template, version: undefined }) };
  }

  @Operation('Describe a template', {
    answer: namedTemplate,
    body: templateFields.pick({ description: true }),
    takes: FORMS,
  })
  @Put(':name')
  async update(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof namedTemplate>> {
    const domain = this.domains.owned(caller);
    const { fields } = await this.forms.small(request, query);
    const kept = await this.templates.describe(domain, name, readDescription(fields));
    return { message: 'template has been updated', template: { name: kept } };
  }

  @Operation('Delete a template and its versions', { answer: namedTemplate })
  @Delete(':name')
  async remove(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof namedTemplate>> {
    const kept = await this.templates.remove(this.domains.owned(caller), name);
    return { message: 'template has been deleted', template: { name: kept } };
  }
}

const shownWithVersion = ({ version, ...template }: WithVersion): Answer<typeof withVersion> => ({
  ...shownTemplate(template),
  ...(version ? { version: shownVersion(version) } : {}),
});
