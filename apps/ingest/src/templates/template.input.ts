import type { TemplateContent } from '@lethe/contracts';
import { z } from 'zod';
import { readYesNo, type Fields } from '../form/fields.ts';
import { invalid, missing } from '../form/refusals.ts';
import { looksLikeAddress } from '../messages/options.ts';
import { parseTemplate } from './render/program.ts';

const MAX_NAME = 128;
const MAX_DESCRIPTION = 1_024;
const MAX_COMMENT = 4_096;
const MAX_CREATED_BY = 256;
const MAX_HEADER = 4_096;
const FIRST_TAG = 'initial';

/** As clients see them in OpenAPI. */
const yesNo = z.enum(['yes', 'no']);
export const activeFields = z.object({ active: yesNo.default('no') });
export const versionFields = z.object({
  template: z.string(),
  tag: z.string().max(MAX_NAME),
  comment: z.string().max(MAX_COMMENT).optional(),
  engine: z.literal('handlebars').optional(),
  headers: z.string().meta({ description: 'JSON object of From, Subject and Reply-To' }).optional(),
  active: yesNo.default('no'),
});
export const templateFields = z.object({
  name: z.string().max(MAX_NAME),
  description: z.string().max(MAX_DESCRIPTION).optional(),
  createdBy: z.string().max(MAX_CREATED_BY).optional(),
  ...versionFields.omit({ active: true }).partial().shape,
});

type Headers = TemplateContent['headers'];

/** What a customer says about a version; undefined leaves it as it is. */
export interface VersionInput {
  readonly template: string | undefined;
  readonly comment: string | undefined;
  readonly headers: Headers | undefined;
  readonly active: boolean;
}

export interface NewVersion extends VersionInput {
  readonly tag: string;
  readonly template: string;
}

export interface NewTemplate {
  readonly name: string;
  readonly description: string;
  readonly createdBy: string;
  readonly version: NewVersion | undefined;
}

/** A form with a template of so many octets: percent-encoded, these are three times as many. */
export const formOctets = (template: number): number => 3 * template;

/** @throws ApiError 400 naming the field. */
export function readNewTemplate(fields: Fields, maxOctets: number): NewTemplate {
  const name = fields('name');
  if (name === undefined) throw missing('name');
  const version = readVersion(fields, maxOctets);
  const { template } = version;
  return {
    name: readName(name, 'name').toLowerCase(),
    description: readDescription(fields) ?? '',
    createdBy: readText(fields, 'createdBy', MAX_CREATED_BY) ?? '',
    version:
      template === undefined
        ? undefined
        : { ...version, template, tag: readName(fields('tag') ?? FIRST_TAG, 'tag'), active: true },
  };
}

/** @throws ApiError 400 naming the field. */
export function readNewVersion(fields: Fields, maxOctets: number): NewVersion {
  const tag = fields('tag');
  if (tag === undefined) throw missing('tag');
  const { template, ...version } = readVersion(fields, maxOctets);
  if (template === undefined) throw missing('template');
  return { ...version, template, tag: readName(tag, 'tag') };
}

/** @throws ApiError 400 naming the field. */
export function readVersion(fields: Fields, maxOctets: number): VersionInput {
  const engine = fields('engine') ?? 'handlebars';
  if (engine !== 'handlebars') throw invalid('engine', 'it is handlebars');
  return {
    template: readContent(fields, maxOctets),
    comment: readComment(fields),
    headers: readHeaders(fields),
    active: readYesNo(fields, 'active') ?? false,
  };
}

export const readDescription = (fields: Fields): string | undefined => readText(fields, 'description', MAX_DESCRIPTION);

export const readComment = (fields: Fields): string | undefined => readText(fields, 'comment', MAX_COMMENT);

/**
 * A name, of a template or of a version, as it may be. It stands in paths, and clients differ in how they write it there: what could end a segment
 * is refused. So is an address: names are shown and passed on where nobody expects one (design §4).
 */
export function readName(text: string, field: string): string {
  if (text.length > MAX_NAME) throw invalid(field, `at most ${MAX_NAME} characters are taken`);
  if (/[\p{Cc}/\\?#%]/u.test(text)) throw invalid(field, 'it must not hold / \\ ? # % or a control character');
  if (looksLikeAddress(text)) throw invalid(field, 'it must not hold an e-mail address');
  return text;
}

function readContent(fields: Fields, maxOctets: number): string | undefined {
  const template = fields('template', 'kept');
  if (template === undefined) return undefined;
  if (Buffer.byteLength(template) > maxOctets) throw invalid('template', `at most ${maxOctets} octets are taken`);
  // What cannot be rendered is refused where it is written, not where it is needed.
  parseTemplate(template, 'template');
  return template;
}

const headers = z.strictObject({
  From: z.string().max(MAX_HEADER).optional(),
  Subject: z.string().max(MAX_HEADER).optional(),
  'Reply-To': z.string().max(MAX_HEADER).optional(),
});

function readHeaders(fields: Fields): Headers | undefined {
  const text = fields('headers');
  if (text === undefined) return undefined;
  const given = headers.safeParse(parsedJson(text));
  if (!given.success) {
    throw invalid(
      'headers',
      `it is a JSON object of From, Subject and Reply-To, of at most ${MAX_HEADER} characters each`,
    );
  }
  for (const value of Object.values(given.data)) if (value !== undefined) parseTemplate(value, 'headers');
  return given.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readText(fields: Fields, name: string, max: number): string | undefined {
  const text = fields(name);
  if (text !== undefined && text.length > max) throw invalid(name, `at most ${max} characters are taken`);
  return text;
}
