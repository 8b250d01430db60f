import { z } from 'zod';
import { markOf, type FieldMark } from './fields.ts';

export interface ContractField {
  /** From the root, such as `related[].person`; empty of a root that is a leaf itself. */
  readonly path: string;
  /** Undefined: the field was not made by a function of `fields.ts`, which fails CI. */
  readonly mark: FieldMark | undefined;
}

/** Every leaf of a contract: what is not an object, array, optional, nullable or union of these. One entry per path and mark. */
export function contractFields(schema: z.core.$ZodType): ContractField[] {
  const seen = new Map(walk(schema, '').map((field) => [`${field.path} ${JSON.stringify(field.mark)}`, field]));
  return [...seen.values()];
}

function walk(schema: z.core.$ZodType, path: string): ContractField[] {
  const mark = markOf(schema);
  if (mark) return [{ path, mark }];
  if (schema instanceof z.ZodObject) {
    return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([key, inner]) =>
      walk(inner, path === '' ? key : `${path}.${key}`),
    );
  }
  if (schema instanceof z.ZodArray) return walk(schema.element, `${path}[]`);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return walk(schema.unwrap(), path);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap((option) => walk(option, path));
  return [{ path, mark: undefined }];
}
