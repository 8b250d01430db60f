import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { TemplateContent, TemplateVersionInfo } from '@lethe/contracts';
import { ApiError, Clock } from '@lethe/service';
import { invalid } from '../../form/refusals.ts';
import type { NewVersion, VersionInput } from '../template.input.ts';
import { TemplateSeals } from '../template.seals.ts';
import type { Template, Version, VersionInfo } from '../template.ts';
import { MOST_VERSIONS, TemplatesRepository, type VersionRow } from '../templates.repository.ts';
import { contentOf, templateNotFound, TemplatesService, type Owner } from '../templates.service.ts';

export interface Of<V> {
  readonly template: Template;
  readonly version: V;
}

/** Versions of a template. Where there are any, exactly one is active. Every method throws ApiError 404 for what is not there. */
@Injectable()
export class VersionsService {
  constructor(
    private readonly templates: TemplatesService,
    private readonly repository: TemplatesRepository,
    private readonly seals: TemplateSeals,
    private readonly clock: Clock,
  ) {}

  async list(owner: Owner, name: string): Promise<Of<VersionInfo[]>> {
    const template = await this.templates.get(owner, name);
    const rows = await this.repository.versions(template.id);
    return { template, version: await Promise.all(rows.map((row) => this.seals.versionInfo(owner.accountId, row))) };
  }

  async get(owner: Owner, name: string, tag: string): Promise<Of<Version>> {
    const { template, row } = await this.find(owner, name, tag);
    return { template, version: await this.seals.version(owner.accountId, row) };
  }

  /** @throws ApiError 400 where there is one of this tag, or as many as there may be. */
  async add(owner: Owner, name: string, input: NewVersion): Promise<Of<Version>> {
    const template = await this.templates.get(owner, name);
    const content = { tag: input.tag, comment: input.comment ?? '', ...contentOf(input) };
    return this.insert(owner, template, content, input.active);
  }

  /** Answers the tag as it was typed. */
  async update(owner: Owner, name: string, tag: string, input: VersionInput): Promise<Of<string>> {
    const { template, row } = await this.find(owner, name, tag);
    const before = await this.seals.version(owner.accountId, row);
    const now = {
      tag: before.tag,
      comment: input.comment ?? before.comment,
      template: input.template ?? before.template,
      headers: input.headers ?? before.headers,
    };
    const parts = await this.seals.versionParts(owner.accountId, row.id, now);
    if (!(await this.repository.updateVersion({ ...row, ...parts, active: input.active }))) throw versionNotFound();
    return { template, version: before.tag };
  }

  async remove(owner: Owner, name: string, tag: string): Promise<Of<string>> {
    const { template, row } = await this.find(owner, name, tag);
    const { tag: typed } = await this.seals.versionInfo(owner.accountId, row);
    if (!(await this.repository.removeVersion(row))) throw versionNotFound();
    return { template, version: typed };
  }

  async copy(owner: Owner, name: string, tag: string, to: { tag: string; comment?: string }): Promise<Of<Version>> {
    const { template, version } = await this.get(owner, name, tag);
    return this.insert(owner, template, { ...version, ...to }, false);
  }

  private async insert(
    owner: Owner,
    template: Template,
    { tag, comment, template: text, headers }: TemplateVersionInfo & TemplateContent,
    active: boolean,
  ): Promise<Of<Version>> {
    const id = randomUUIDv7();
    const createdAt = new Date(this.clock.now());
    const stored = await this.repository.insertVersion({
      id,
      template_id: template.id,
      tag_hash: await this.seals.tagHash(owner.accountId, tag),
      ...(await this.seals.versionParts(owner.accountId, id, { tag, comment, template: text, headers })),
      active,
      created_at: createdAt,
    });
    if (stored === 'gone') throw templateNotFound();
    if (stored === 'taken') throw invalid('tag', 'there is a version of this tag already');
    if (stored === 'full') throw new ApiError(400, `a template has at most ${MOST_VERSIONS} versions`);
    const row = await this.repository.version(template.id, await this.seals.tagHash(owner.accountId, tag));
    if (!row) throw versionNotFound();
    return { template, version: await this.seals.version(owner.accountId, row) };
  }

  private async find(owner: Owner, name: string, tag: string): Promise<{ template: Template; row: VersionRow }> {
    const template = await this.templates.get(owner, name);
    const row = await this.repository.version(template.id, await this.seals.tagHash(owner.accountId, tag));
    if (!row) throw versionNotFound();
    return { template, row };
  }
}

const versionNotFound = (): ApiError => new ApiError(404, 'Template version not found');
