import findMyWay from 'find-my-way';
import type { HTTPMethod } from 'find-my-way';
import { patternsOf, ROUTES } from './routes.ts';
import type { Route } from './routes.ts';

const router = findMyWay({ maxParamLength: 1_024 });
for (const route of ROUTES) {
  const methods = [...route.methods] as HTTPMethod[];
  for (const path of route.paths.flatMap(patternsOf)) router.on(methods, path, () => undefined, route);
}

/** The row of the table that a request takes, found as the server finds it. `path` without the query. */
export const routeFor = (method: string, path: string): Route | undefined =>
  (router.find(method.toUpperCase() as HTTPMethod, path)?.store as Route | null | undefined) ?? undefined;
