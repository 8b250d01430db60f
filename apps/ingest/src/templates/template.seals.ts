import { Injectable } from '@nestjs/common';
import type { TemplateContent, TemplateInfo, TemplateVersionInfo } from '@lethe/contracts';
import { Vault } from '@lethe/vault';
import type { Template, Version, VersionInfo } from './template.ts';
import type { TemplateRow, VersionAbout, VersionRow } from './templates.repository.ts';

type Type = 'template' | 'template-version' | 'template-content';

/** What customers type of a template, under their account's key, and the hashes that it is found by. */
@Injectable()
export class TemplateSeals {
  constructor(private readonly vault: Vault) {}

  /** Case is no difference: names are kept in lower case, tags as they were typed. */
  nameHash(account: string, name: string): Promise<Buffer> {
    return this.vault.keyedHash(account, 'template-name', name.toLowerCase());
  }

  tagHash(account: string, tag: string): Promise<Buffer> {
    return this.vault.keyedHash(account, 'template-tag', tag.toLowerCase());
  }

  info(account: string, id: string, info: TemplateInfo): Promise<string> {
    return this.seal(account, 'template', id, info);
  }

  async versionParts(
    account: string,
    id: string,
    { tag, comment, template, headers }: TemplateVersionInfo & TemplateContent,
  ): Promise<Pick<VersionRow, 'about' | 'content'>> {
    const about: TemplateVersionInfo = { tag, comment };
    const content: TemplateContent = { template, headers };
    const [aboutSeal, contentSeal] = await Promise.all([
      this.seal(account, 'template-version', id, about),
      this.seal(account, 'template-content', id, content),
    ]);
    return { about: aboutSeal, content: contentSeal };
  }

  async template(row: TemplateRow): Promise<Template> {
    const info = await this.open<TemplateInfo>(row.account_id, 'template', row.id, row.about);
    return { ...info, id: row.id, createdAt: row.created_at };
  }

  async versionInfo(account: string, row: VersionAbout): Promise<VersionInfo> {
    const info = await this.open<TemplateVersionInfo>(account, 'template-version', row.id, row.about);
    return { ...info, id: row.id, active: row.active, createdAt: row.created_at };
  }

  async version(account: string, row: VersionRow): Promise<Version> {
    const [info, content] = await Promise.all([
      this.versionInfo(account, row),
      this.content(account, row.id, row.content),
    ]);
    return { ...info, ...content };
  }

  async tag(account: string, versionId: string, sealed: string): Promise<string> {
    return (await this.open<TemplateVersionInfo>(account, 'template-version', versionId, sealed)).tag;
  }

  content(account: string, versionId: string, sealed: string): Promise<TemplateContent> {
    return this.open(account, 'template-content', versionId, sealed);
  }

  private seal(account: string, type: Type, recordId: string, value: object): Promise<string> {
    return this.vault.sealForAccount({ account, period: 'standing', type, recordId }, value);
  }

  private open<T>(account: string, type: Type, recordId: string, sealed: string): Promise<T> {
    return this.vault.openForAccount<T>(sealed, { account, type, recordId });
  }
}
