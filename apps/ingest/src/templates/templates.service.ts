import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { ApiError, Clock, CONFIG } from '@lethe/service';
import { type IngestConfig } from '../config.ts';
import { invalid } from '../form/refusals.ts';
import type { NewTemplate } from './template.input.ts';
import { TemplateSeals } from './template.seals.ts';
import type { Template, Version } from './template.ts';
import { TemplatesRepository, type TemplateRow } from './templates.repository.ts';

export type Owner = Pick<DomainSettings, 'accountId' | 'domainId'>;
export type WithVersion = Template & { readonly version: Version | undefined };

/** Templates of a domain. Their versions: `VersionsService`. */
@Injectable()
export class TemplatesService {
  constructor(
    private readonly templates: TemplatesRepository,
    private readonly seals: TemplateSeals,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  async list({ domainId }: Owner): Promise<Template[]> {
    return Promise.all((await this.templates.all(domainId)).map((row) => this.seals.template(row)));
  }

  /** With what each renders now. */
  async withActive({ accountId }: Owner, templates: readonly Template[]): Promise<WithVersion[]> {
    const rows = await this.templates.activeOf(templates.map(({ id }) => id));
    const active = new Map(rows.map((row) => [row.template_id, row]));
    return Promise.all(
      templates.map(async (template) => {
        const row = active.get(template.id);
        return { ...template, version: row && (await this.seals.version(accountId, row)) };
      }),
    );
  }

  /** @throws ApiError 400 where there is one of this name, or as many as there may be. */
  async create({ accountId, domainId }: Owner, input: NewTemplate): Promise<WithVersion> {
    const { version: first, ...info } = input;
    const [id, versionId] = [randomUUIDv7(), randomUUIDv7()];
    const createdAt = new Date(this.clock.now());
    const row: TemplateRow = {
      id,
      account_id: accountId,
      domain_id: domainId,
      name_hash: await this.seals.nameHash(accountId, info.name),
      about: await this.seals.info(accountId, id, info),
      created_at: createdAt,
    };
    const content = first && { tag: first.tag, comment: first.comment ?? '', ...contentOf(first) };
    const version = content && {
      id: versionId,
      template_id: id,
      tag_hash: await this.seals.tagHash(accountId, content.tag),
      ...(await this.seals.versionParts(accountId, versionId, content)),
      active: true,
      created_at: createdAt,
    };
    const stored = await this.templates.insert(row, version, this.config.TEMPLATES_MAX);
    if (stored === 'taken') throw invalid('name', 'there is a template of this name already');
    if (stored === 'full') {
      throw new ApiError(400, `the domain has as many templates as it may: at most ${this.config.TEMPLATES_MAX}`);
    }
    return {
      ...info,
      id,
      createdAt,
      version: content && { ...content, id: versionId, active: true, createdAt },
    };
  }

  /** @throws ApiError 404. */
  async get(owner: Owner, name: string): Promise<Template> {
    return this.seals.template(await this.row(owner, name));
  }

  /** @throws ApiError 404. */
  async row({ accountId, domainId }: Owner, name: string): Promise<TemplateRow> {
    const row = await this.templates.find(domainId, await this.seals.nameHash(accountId, name));
    if (!row) throw templateNotFound();
    return row;
  }

  /** @throws ApiError 404. */
  async describe(owner: Owner, name: string, description: string | undefined): Promise<string> {
    const { id, ...template } = await this.get(owner, name);
    const about = await this.seals.info(owner.accountId, id, {
      name: template.name,
      createdBy: template.createdBy,
      description: description ?? template.description,
    });
    if (!(await this.templates.update(id, about))) throw templateNotFound();
    return template.name;
  }

  /** @throws ApiError 404. */
  async remove(owner: Owner, name: string): Promise<string> {
    const template = await this.get(owner, name);
    if (!(await this.templates.remove(template.id))) throw templateNotFound();
    return template.name;
  }

  async removeAll({ domainId }: Owner): Promise<void> {
    await this.templates.removeAll(domainId);
  }
}

export const contentOf = <H extends object>({ template, headers }: { template: string; headers: H | undefined }) => ({
  template,
  headers: headers ?? {},
});

export const templateNotFound = (): ApiError => new ApiError(404, 'Template not found');
