import { ApiError } from '@lethe/service';
import type { Form } from '../../form/form.parser.ts';
import { invalid } from '../../form/refusals.ts';
import { readBoolean, readVariable } from '../../messages/options.ts';
import { isTooDeep, type Variables } from './values.ts';

/** What a message says about the template it is made of (mailgun-api §2). */
export interface TemplateFields {
  readonly name: string;
  readonly tag: string | undefined;
  readonly withText: boolean;
  readonly variables: Variables;
}

const NAME = 'template';
/** Where mailgun-go puts the template's variables. */
const VARIABLES_HEADER = 'h:x-mailgun-variables';

/** Undefined for a message without a template. @throws ApiError 400 naming the field. */
export function readTemplateFields(form: Form): TemplateFields | undefined {
  const last = (name: string): string => form.fields.get(name)?.at(-1)?.trim() ?? '';
  const name = last(NAME);
  if (name === '') {
    const stray = [...form.fields.keys()].find((field) => isTemplateField(field) && last(field) !== '');
    if (stray !== undefined) throw new ApiError(400, `'${shown(stray)}' needs a 'template'`, { field: NAME });
    return undefined;
  }
  for (const field of form.fields.keys()) {
    if (field.startsWith('t:') && !/^t:(version|text|variables)$/.test(field)) {
      throw new ApiError(400, `'${shown(field)}' is not a known option`);
    }
  }
  const tag = last('t:version');
  return {
    name,
    tag: tag === '' ? undefined : tag,
    withText: readBoolean('t:text', last('t:text')),
    variables: readVariables(form, last('t:variables')),
  };
}

/** Whether a field is spent when the template is rendered; `v:` values are the message's as well. */
export const isSpent = (field: string): boolean => isTemplateField(field) || field.toLowerCase() === VARIABLES_HEADER;

const isTemplateField = (field: string): boolean => field === NAME || field.startsWith('t:');

/** What is said in several places counts where it is nearest to the template. */
function readVariables(form: Form, given: string): Variables {
  const own = [...form.fields].filter(([name]) => name.startsWith('v:'));
  const header = [...form.fields].find(([name]) => name.toLowerCase() === VARIABLES_HEADER)?.[1].at(-1) ?? '';
  const variables = {
    ...Object.fromEntries(own.map(([name, values]) => [name.slice(2), readVariable(values.at(-1) ?? '')])),
    ...readObject(header, 'h:X-Mailgun-Variables'),
    ...readObject(given, 't:variables'),
  };
  if (isTooDeep(variables)) throw invalid('t:variables', 'its values stand too deep in each other');
  return variables;
}

function readObject(json: string, field: string): object {
  if (json.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalid(field, 'it is a JSON object');
}

const shown = (name: string): string => (/^[\w:.-]{1,64}$/.test(name) ? name : name.slice(0, 2));
