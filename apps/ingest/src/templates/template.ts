import type { TemplateContent, TemplateInfo, TemplateVersionInfo } from '@lethe/contracts';

/** A template, opened. */
export interface Template extends TemplateInfo {
  readonly id: string;
  readonly createdAt: Date;
}

/** What a version says about itself, opened. */
export interface VersionInfo extends TemplateVersionInfo {
  readonly id: string;
  readonly active: boolean;
  readonly createdAt: Date;
}

/** The same with what it renders. */
export type Version = VersionInfo & TemplateContent;

/** Mailgun's shapes (mailgun-api §9). Dates are RFC 1123 with a zone name: the strictest client reads no other here. */
export const shownTemplate = ({ name, description, createdBy, createdAt, id }: Template): Record<string, unknown> => ({
  name,
  description,
  createdAt: createdAt.toUTCString(),
  createdBy,
  id,
});

export const shownInfo = ({ tag, comment, createdAt, active, id }: VersionInfo): Record<string, unknown> => ({
  tag,
  engine: 'handlebars',
  mjml: '',
  createdAt: createdAt.toUTCString(),
  comment,
  active,
  id,
});

export const shownVersion = (version: Version): Record<string, unknown> => ({
  ...shownInfo(version),
  template: version.template,
  headers: version.headers,
});
