import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '@lethe/contracts';
import { Logger } from '@nestjs/common';
import { apiPart, undescribed, type ApiPart } from '@lethe/service';

/** As apps/gateway/src/openapi/merged-document.ts has them; apps are never imported by name. */
interface Gateway {
  mergedDocument: (parts: readonly Part[], publicUrl: string) => ApiDocument;
  routeFor: (method: string, path: string) => Row | undefined;
  ROUTES: readonly Row[];
}
export interface ApiDocument {
  paths: Record<string, Record<string, { summary: string; security: Record<string, string[]>[] }>>;
}
interface Row {
  paths: readonly string[];
  methods: readonly string[];
  service: string;
}
export interface Part {
  service: string;
  paths: ApiPart;
}

export interface ServedApi {
  document: ApiDocument;
  parts: readonly Part[];
  rows: readonly Row[];
  /** Lines that say what is missing, where. */
  faults: string[];
}

/** What the gateway of this workspace serves, as `GET /openapi.json` answers it, without starting anything. */
export async function servedApi(root: string): Promise<ServedApi> {
  // Modules of several services in one process: TypeORM's warns of what never connects.
  Logger.overrideLogger(false);
  const modules = await Promise.all(
    SERVICES.filter((service) => existsSync(join(root, 'apps', service, 'src/app.module.ts'))).map(async (service) => ({
      service,
      module: await moduleOf(join(root, 'apps', service, 'src/app.module.ts')),
    })),
  );
  const load = async (file: string): Promise<Partial<Gateway>> =>
    (await import(/* @vite-ignore */ join(root, 'apps/gateway/src', file))) as Partial<Gateway>;
  const { mergedDocument, routeFor, ROUTES } = {
    ...(await load('openapi/merged-document.ts')),
    ...(await load('routing/route-finder.ts')),
    ...(await load('routing/routes.ts')),
  } as Gateway;
  const parts = modules.map(({ service, module }) => ({ service, paths: apiPart(module) }));
  const document = mergedDocument(parts, 'https://mail.example.net');
  const faults = [
    ...modules.flatMap(({ service, module }) => undescribed(module).map((fault) => `apps/${service}: ${fault}`)),
    ...unreachable(parts, routeFor),
    ...leadingNowhere(parts, ROUTES, routeFor),
  ];
  return { document, parts, rows: ROUTES, faults };
}

type Module = Parameters<typeof apiPart>[0];

async function moduleOf(file: string): Promise<Module> {
  const exported = Object.values((await import(/* @vite-ignore */ file)) as Record<string, unknown>);
  const module = exported.find((value) => typeof value === 'function');
  if (!module) throw new Error(`${file} exports no module`);
  return module as Module;
}

/** A path as a caller would write it. */
export const example = (template: string): string => template.replaceAll(/\{\w+\}/g, 'x');

const operationsOf = (parts: readonly Part[]): { service: string; method: string; path: string }[] =>
  parts.flatMap(({ service, paths }) =>
    Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({ service, method: method.toUpperCase(), path })),
    ),
  );

/** What a service describes and nobody can call. */
export function unreachable(parts: readonly Part[], routeFor: Gateway['routeFor']): string[] {
  return operationsOf(parts)
    .filter(({ service }) => service !== 'gateway')
    .filter(({ service, method, path }) => routeFor(method, example(path))?.service !== service)
    .map(
      ({ service, method, path }) =>
        `apps/${service}: ${method} ${path}: no row of apps/gateway/src/routing/routes.ts leads there`,
    );
}

/** Rows of the gateway behind which nothing is described. */
export function leadingNowhere(parts: readonly Part[], rows: readonly Row[], routeFor: Gateway['routeFor']): string[] {
  const reached = new Set(operationsOf(parts).map(({ method, path }) => routeFor(method, example(path))));
  return rows
    .filter((row) => !reached.has(row))
    .map(
      ({ methods, paths, service }) =>
        `routes.ts: ${methods.join()} ${paths.join(', ')}: ${service} describes nothing there`,
    );
}
