import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** A schema as clients have to meet it (JSON Schema 2020-12, which is OpenAPI 3.1's): what goes in, not what it becomes. */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(withoutPreparation(schema), {
    io: 'input',
    unrepresentable: 'any',
  });
  return rest;
}

/** The same of what is answered, once it is JSON. Fields may be added at any time, so none is ruled out. */
export function answerSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'output',
    override: ({ jsonSchema: shape }) => {
      if (shape.additionalProperties === false) delete shape.additionalProperties;
    },
  });
  return rest;
}

/** The fields of an object one by one, as a query or a form has them. */
export function fieldsOf(schema: z.ZodType): { name: string; required: boolean; schema: JsonSchema }[] {
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    schema: field,
  }));
}

/** Of `z.preprocess`, what it prepares for: the preparation itself takes anything. */
function withoutPreparation(schema: z.ZodType): z.ZodType {
  const prepared = schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform;
  return prepared ? withoutPreparation(schema.out as z.ZodType) : schema;
}
