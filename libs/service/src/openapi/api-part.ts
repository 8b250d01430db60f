import type { DynamicModule, Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { z } from 'zod';
import { answerSchema, fieldsOf, jsonSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { operationsOf } from './operation.decorator.ts';
import type { Operation } from './operation.decorator.ts';
import { servedRoutes } from './served-routes.ts';
import type { ServedRoute } from './served-routes.ts';

interface Argument {
  data?: string;
  schema?: z.ZodType;
}

export interface OpenApiParameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

/** An OpenAPI 3.1 Operation Object, as far as it is used here. */
export interface OpenApiOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: OpenApiParameter[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, object>;
}

/** What one service adds to the merged document: path templates, and below them methods in small letters. */
export type ApiPart = Record<string, Record<string, OpenApiOperation>>;

const JSON_TYPE = 'application/json';
/** What `acceptForms` lets in. */
const FORMS = ['multipart/form-data', 'application/x-www-form-urlencoded', JSON_TYPE];
/** OpenAPI 3.1 §4.8.12: these three are not parameters. */
const NO_PARAMETERS = new Set(['accept', 'content-type', 'authorization']);

/** The operations of a service's module, as far as they are described; a test sees to it that all are. */
export function apiPart(module: Type | DynamicModule): ApiPart {
  const part: ApiPart = {};
  for (const route of servedRoutes(module)) {
    for (const operation of descriptionsOf(route)) {
      const path = templateOf(route.path, operation);
      (part[path] ??= {})[route.method.toLowerCase()] = render(route, operation, path);
    }
  }
  return part;
}

/** What has no `@Operation`, each a line that says where. */
export function undescribed(module: Type | DynamicModule): string[] {
  return servedRoutes(module).flatMap((route) => {
    const where = `${route.method} ${route.path}: ${route.controller.name}.${route.handler}`;
    const operations = descriptionsOf(route);
    if (operations.length === 0) return [`${where} has no @Operation`];
    const silent = operations.some(({ answer, answers = [JSON_TYPE] }) => !answer && answers.includes(JSON_TYPE));
    if (silent) return [`${where}: an @Operation does not say what is answered`];
    const open = route.path.endsWith('*') && operations.some(({ below }) => below === undefined);
    return open ? [`${where}: an @Operation does not say what is below the *`] : [];
  });
}

const descriptionsOf = ({ controller, handler }: ServedRoute): readonly Operation[] =>
  operationsOf((controller.prototype as Record<string, object>)[handler] as object);

const templateOf = (path: string, { below }: Operation): string =>
  path.replace(/\*$/, below ?? '*').replaceAll(/:(\w+)/g, '{$1}');

function render(route: ServedRoute, operation: Operation, path: string): OpenApiOperation {
  const { controller, handler } = route;
  const named = (controller.prototype as Record<string, object>)[handler] as object;
  const code = Reflect.getMetadata(HTTP_CODE_METADATA, named) as number | undefined;
  const given = argumentsOf(route);
  const parameters = [...inPath(path, given(RouteParamtypes.PARAM)), ...inQuery(operation, given), ...inHeaders(given)];
  const content = bodyOf(operation, given(RouteParamtypes.BODY));
  const answers = operation.answers ?? [JSON_TYPE];
  return {
    operationId: `${route.method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '')}`,
    tags: [
      controller.name.replace(/Controller$/, '').replaceAll(/(?<=.)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    ],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(content === undefined ? {} : { requestBody: { content } }),
    responses: {
      [code ?? (route.method === 'POST' ? 201 : 200)]: {
        description: 'Done',
        content: Object.fromEntries(answers.map((type) => [type, type === JSON_TYPE ? shapeOf(operation) : {}])),
      },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

const shapeOf = ({ answer }: Operation): { schema?: JsonSchema } => (answer ? { schema: answerSchema(answer) } : {});

/** What the handler's decorators ask for, by kind. */
function argumentsOf({ controller, handler }: ServedRoute): (kind: RouteParamtypes) => Argument[] {
  const all = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<string, Argument>;
  return (kind) => Object.entries(all).flatMap(([key, argument]) => (key.startsWith(`${kind}:`) ? [argument] : []));
}

function inPath(path: string, given: readonly Argument[]): OpenApiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const schema = given.find(({ data }) => data === name)?.schema;
    return { name, in: 'path', required: true, schema: schema ? jsonSchema(schema) : { type: 'string' } };
  });
}

function inQuery({ query }: Operation, given: (kind: RouteParamtypes) => Argument[]): OpenApiParameter[] {
  const asked = given(RouteParamtypes.QUERY);
  const whole = [...asked.filter(({ data }) => data === undefined).map(({ schema }) => schema), query];
  const single = asked.flatMap(({ data, schema }) =>
    data === undefined ? [] : [{ name: data, required: false, schema: schema ? jsonSchema(schema) : {} }],
  );
  return [...whole.flatMap((schema) => (schema ? fieldsOf(schema) : [])), ...single].map((field) => ({
    name: field.name,
    in: 'query',
    required: field.required,
    schema: field.schema,
  }));
}

function inHeaders(given: (kind: RouteParamtypes) => Argument[]): OpenApiParameter[] {
  return given(RouteParamtypes.HEADERS).flatMap(({ data }) =>
    data === undefined || NO_PARAMETERS.has(data.toLowerCase())
      ? []
      : [{ name: data, in: 'header', required: false, schema: { type: 'string' } }],
  );
}

function bodyOf(
  { body, takes }: Operation,
  given: readonly Argument[],
): Record<string, { schema: JsonSchema }> | undefined {
  const schema = body ?? given.find((argument) => argument.schema)?.schema;
  if (!schema) return undefined;
  return Object.fromEntries((takes ?? FORMS).map((type) => [type, { schema: jsonSchema(schema) }]));
}
