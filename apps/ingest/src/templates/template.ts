import type { Answer } from '@lethe/service';
import { z } from 'zod';
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

export const templateShape = z.object({
  name: z.string(),
  description: z.string(),
  createdAt: z.string(),
  createdBy: z.string(),
  id: z.string(),
});
export const infoShape = z.object({
  tag: z.string(),
  engine: z.literal('handlebars'),
  mjml: z.string(),
  createdAt: z.string(),
  comment: z.string(),
  active: z.boolean(),
  id: z.string(),
});
export const versionShape = infoShape.extend({
  template: z.string(),
  headers: z.object({ From: z.string().optional(), Subject: z.string().optional(), 'Reply-To': z.string().optional() }),
});

/** Mailgun's shapes (mailgun-api §9). Dates are RFC 1123 with a zone name: the strictest client reads no other here. */
export const shownTemplate = ({
  name,
  description,
  createdBy,
  createdAt,
  id,
}: Template): z.infer<typeof templateShape> => ({
  name,
  description,
  createdAt: createdAt.toUTCString(),
  createdBy,
  id,
});

export const shownInfo = ({ tag, comment, createdAt, active, id }: VersionInfo): z.infer<typeof infoShape> => ({
  tag,
  engine: 'handlebars',
  mjml: '',
  createdAt: createdAt.toUTCString(),
  comment,
  active,
  id,
});

export const shownVersion = (version: Version): Answer<typeof versionShape> => ({
  ...shownInfo(version),
  template: version.template,
  headers: version.headers,
});
