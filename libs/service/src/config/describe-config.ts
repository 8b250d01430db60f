import { z } from 'zod';

export type ConfigShape = Record<string, z.ZodType>;

/** One environment variable as documentation shows it. */
export interface Variable {
  name: string;
  description: string | undefined;
  secret: boolean;
  optional: boolean;
  /** As text; absent when there is none. */
  default: string | undefined;
}

/** Every variable of a config schema, in declaration order. */
export function variables(schema: z.ZodObject): Variable[] {
  return Object.entries<z.ZodType>(schema.shape).map(([name, field]) => {
    const absent = field.safeParse(undefined);
    const meta = metaOf(field);
    return {
      name,
      description: meta.description,
      secret: meta.secret === true,
      optional: absent.success,
      default: absent.success ? asText(absent.data) : undefined,
    };
  });
}

/** A markdown table of a service's variables, for its README. */
export function describeConfig(schema: z.ZodObject): string {
  const rows = variables(schema).map(
    (variable) => `| \`${variable.name}\` | ${variable.description ?? ''} | ${defaultCell(variable)} |`,
  );
  return ['| variable | what it is | default |', '| --- | --- | --- |', ...rows].join('\n');
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function defaultCell(variable: Variable): string {
  if (variable.default !== undefined) return `\`${variable.default}\``;
  return variable.optional ? 'none' : 'required';
}

/** A description stays on the schema it was given to: look through the wrappers around it. */
function metaOf(field: z.ZodType): { description?: string; secret?: unknown } {
  let current: z.ZodType | undefined = field;
  while (current) {
    const meta = current.meta();
    if (meta?.description) return meta as { description: string };
    const def = current.def as { innerType?: z.ZodType; in?: z.ZodType };
    current = def.innerType ?? def.in;
  }
  return {};
}
