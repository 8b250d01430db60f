import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { Caller, CONFIG, Operation, paging, said, type Answer, type Identity } from '@lethe/service';
import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { type IngestConfig } from '../../config.ts';
import { queryFields } from '../../form/fields.ts';
import { ApiForms } from '../../form/api.forms.ts';
import { FORMS } from '../../messages/message.fields.ts';
import { SendingDomains } from '../../settings/sending.domains.ts';
import { pageFields, pageOf, readPageQuery } from '../pages.ts';
import { formOctets, readComment, readName, readNewVersion, readVersion, versionFields } from '../template.input.ts';
import {
  infoShape,
  shownInfo,
  shownTemplate,
  shownVersion,
  templateShape,
  versionShape,
  type Version,
} from '../template.ts';
import { VersionsService, type Of } from './versions.service.ts';

const versionList = z.object({ template: templateShape.extend({ versions: z.array(infoShape) }), paging });
const withVersion = templateShape.extend({ version: versionShape });
const oneVersion = z.object({ template: withVersion });
const storedVersion = said.extend(oneVersion.shape);
const tagShape = z.object({ name: z.string(), version: z.object({ tag: z.string() }) });
const namedVersion = said.extend({ template: tagShape });
const copiedVersion = storedVersion.extend({ version: versionShape });

/** Versions of a template (mailgun-api §9). */
@Controller('v3/:domain/templates/:name/versions')
export class VersionsController {
  constructor(
    private readonly versions: VersionsService,
    private readonly domains: SendingDomains,
    private readonly forms: ApiForms,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  @Operation('List versions of a template', { answer: versionList, query: pageFields })
  @Get()
  async list(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Query() query: unknown,
  ): Promise<Answer<typeof versionList>> {
    const domain = this.domains.owned(caller);
    const { template, version: all } = await this.versions.list(domain, name);
    const path = [domain.name, 'templates', template.name, 'versions'].map(encodeURIComponent).join('/');
    const { items, paging } = pageOf(all, ({ tag }) => tag, readPageQuery(queryFields(query)), {
      collection: `${this.config.PUBLIC_URL}/v3/${path}`,
    });
    return { template: { ...shownTemplate(template), versions: items.map(shownInfo) }, paging };
  }

  @Operation('Store a version of a template', { answer: storedVersion, body: versionFields, takes: FORMS })
  @Post()
  @HttpCode(200)
  async add(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof storedVersion>> {
    const domain = this.domains.owned(caller);
    const { TEMPLATE_MAX_BYTES: most } = this.config;
    const added = await this.forms.large(request, query, formOctets(most), ({ fields }) =>
      this.versions.add(domain, name, readNewVersion(fields, most)),
    );
    return { message: 'new version of the template has been stored', template: shownWith(added) };
  }

  @Operation('Show a version of a template', { answer: oneVersion })
  @Get(':tag')
  async get(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('tag') tag: string,
  ): Promise<Answer<typeof oneVersion>> {
    return { template: shownWith(await this.versions.get(this.domains.owned(caller), name, tag)) };
  }

  @Operation('Change a version of a template', {
    answer: namedVersion,
    body: versionFields.omit({ tag: true }).partial(),
    takes: FORMS,
  })
  @Put(':tag')
  async update(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('tag') tag: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof namedVersion>> {
    const domain = this.domains.owned(caller);
    const { TEMPLATE_MAX_BYTES: most } = this.config;
    const changed = await this.forms.large(request, query, formOctets(most), ({ fields }) =>
      this.versions.update(domain, name, tag, readVersion(fields, most)),
    );
    return { message: 'version has been updated', template: shownTag(changed) };
  }

  @Operation('Delete a version of a template', { answer: namedVersion })
  @Delete(':tag')
  async remove(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('tag') tag: string,
  ): Promise<Answer<typeof namedVersion>> {
    const removed = await this.versions.remove(this.domains.owned(caller), name, tag);
    return { message: 'version has been deleted', template: shownTag(removed) };
  }

  /** Some clients look for the version beside the template, others within it. */
  @Operation('Copy a version of a template', {
    answer: copiedVersion,
    body: versionFields.pick({ comment: true }),
    takes: FORMS,
  })
  @Put(':tag/copy/:to')
  async copy(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Param('tag') tag: string,
    @Param('to') to: string,
    @Req() request: FastifyRequest,
    @Query() query: unknown,
  ): Promise<Answer<typeof copiedVersion>> {
    const domain = this.domains.owned(caller);
    const comment = readComment((await this.forms.small(request, query)).fields);
    const copied = await this.versions.copy(domain, name, tag, {
      tag: readName(to, 'tag'),
      ...(comment === undefined ? {} : { comment }),
    });
    return { message: 'version has been copied', version: shownVersion(copied.version), template: shownWith(copied) };
  }
}

const shownWith = ({ template, version }: Of<Version>): Answer<typeof withVersion> => ({
  ...shownTemplate(template),
  version: shownVersion(version),
});

const shownTag = ({ template, version: tag }: Of<string>): Answer<typeof tagShape> => ({
  name: template.name,
  version: { tag },
});
