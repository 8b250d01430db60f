import { RequestMethod } from '@nestjs/common';
import type { DynamicModule, ForwardReference, Type } from '@nestjs/common';
import { METHOD_METADATA, MODULE_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';

type Module = Type | DynamicModule | ForwardReference | Promise<DynamicModule>;

/** A route as Nest will register it. */
export interface ServedRoute {
  controller: Type;
  /** Name of the method that handles it. */
  handler: string;
  /** In capitals. */
  method: string;
  /** With a leading slash, `:name` for parameters. */
  path: string;
}

/** The routes of a module and of what it imports, read from its declarations: nothing has to be started for it. */
export function servedRoutes(module: Module): ServedRoute[] {
  return [...controllersOf(module, new Set(), new Set())].flatMap(routesOf);
}

function controllersOf(module: Module, found: Set<Type>, seen: Set<unknown>): Set<Type> {
  if (seen.has(module)) return found;
  seen.add(module);
  const dynamic = 'module' in module ? module : undefined;
  const declared = (dynamic?.module ?? module) as object;
  const listed = (key: string): unknown[] => (Reflect.getMetadata(key, declared) as unknown[] | undefined) ?? [];
  const controllers = [...listed(MODULE_METADATA.CONTROLLERS), ...(dynamic?.controllers ?? [])];
  for (const controller of controllers as Type[]) found.add(controller);
  for (const imported of [...listed(MODULE_METADATA.IMPORTS), ...(dynamic?.imports ?? [])] as Module[]) {
    controllersOf(imported, found, seen);
  }
  return found;
}

function routesOf(controller: Type): ServedRoute[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((handler) => {
    const method = handler === 'constructor' ? undefined : methodOf(prototype[handler]);
    if (method === undefined) return [];
    const bases = pathsOf(controller);
    const ends = pathsOf(prototype[handler] as object);
    const paths = bases.flatMap((base) => ends.map((end) => `/${[...segments(base), ...segments(end)].join('/')}`));
    return paths.map((path) => ({ controller, handler, method, path }));
  });
}

function methodOf(handler: unknown): string | undefined {
  if (typeof handler !== 'function') return undefined;
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  return method === undefined ? undefined : RequestMethod[method];
}

const pathsOf = (target: object): string[] => [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat();
const segments = (path: string): string[] => path.split('/').filter((segment) => segment !== '');
