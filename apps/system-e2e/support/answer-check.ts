import { z } from 'zod';

type Schema = Record<string, unknown>;
interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}
export type Paths = Record<string, Record<string, Operation>>;

/** Holds what the platform answers against what its document says is answered. */
export class AnswerCheck {
  /** Operations that were answered as they say, as `GET /v3/domains`. */
  readonly seen = new Set<string>();
  private faults: string[] = [];

  constructor(private readonly paths: Paths) {}

  /** Every operation that says what it answers in JSON. */
  get described(): string[] {
    return Object.entries(this.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) =>
        schemasOf(operation).length > 0 ? [`${method.toUpperCase()} ${path}`] : [],
      ),
    );
  }

  /** What was answered otherwise since this was last asked. */
  newFaults(): string[] {
    const { faults } = this;
    this.faults = [];
    return faults;
  }

  /** Of a success answer in JSON; another one says nothing here. */
  look(method: string, pathname: string, status: number, body: unknown): void {
    const path = this.templateOf(method, pathname);
    const operation = path === undefined ? undefined : this.paths[path]?.[method.toLowerCase()];
    const endpoint = `${method} ${path ?? pathname}`;
    if (!operation) return void this.faults.push(`${endpoint}: is not in the document`);
    const schema = operation.responses[status]?.content?.['application/json']?.schema;
    if (!schema) return void this.faults.push(`${endpoint}: says nothing of an answer ${status} in JSON`);
    const { error } = z.fromJSONSchema(strict(schema) as never).safeParse(body);
    if (error) this.faults.push(`${endpoint}: ${z.prettifyError(error).replaceAll('\n', ' ')}`);
    else this.seen.add(endpoint);
  }

  /** The path with the most fixed segments that this one fits, as a router would choose. */
  private templateOf(method: string, pathname: string): string | undefined {
    const given = pathname.split('/');
    const fixed = (path: string): number => path.split('/').filter((segment) => !segment.startsWith('{')).length;
    return Object.keys(this.paths)
      .filter((path) => this.paths[path]?.[method.toLowerCase()])
      .filter((path) => {
        const segments = path.split('/');
        const fits = segments.every((segment, index) => segment.startsWith('{') || segment === given[index]);
        return fits && segments.length === given.length;
      })
      .toSorted((a, b) => fixed(b) - fixed(a))[0];
  }
}

const schemasOf = ({ responses }: Operation): Schema[] =>
  Object.entries(responses).flatMap(([status, { content }]) => {
    const schema = status === 'default' ? undefined : content?.['application/json']?.schema;
    return schema ? [schema] : [];
  });

/** The document allows fields to be added one day. Here one that it does not know is one that somebody forgot. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const isOpen = 'properties' in schema && !('additionalProperties' in schema);
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}
