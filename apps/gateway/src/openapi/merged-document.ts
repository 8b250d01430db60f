import type { ApiPart, OpenApiOperation } from '@lethe/service';
import { SESSION_COOKIE } from '../access/credentials.ts';
import { routeFor } from '../routing/route-finder.ts';
import type { Upstream } from '../routing/routes.ts';

/** Whose part it is: a service behind the door, or the door itself. */
export type Part = { service: Upstream | 'gateway'; paths: ApiPart };

type Secured = OpenApiOperation & { security: Record<string, string[]>[] };

export interface OpenApiDocument {
  openapi: '3.1.1';
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Secured>>;
  components: object;
}

/**
 * One document of everything that can be called here. What a service describes and the routing table does not lead to is not part of
 * it; rights come from the table, so that they are said where they are asked for.
 */
export function mergedDocument(parts: readonly Part[], publicUrl: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const { service, paths: described } of parts) {
    for (const [path, operations] of Object.entries(described)) {
      for (const [method, operation] of Object.entries(operations)) {
        const security = securityOf(service, method, path);
        if (security) (paths[path] ??= {})[method] = { ...operation, security };
      }
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Lethe', version: '1', description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => a.localeCompare(b, 'en'))),
    components: COMPONENTS,
  };
}

/** Undefined: the door does not lead there. */
function securityOf(service: Part['service'], method: string, path: string): Secured['security'] | undefined {
  if (service === 'gateway') return [];
  const route = routeFor(method, path.replaceAll(/\{\w+\}/g, 'x'));
  if (route?.service !== service) return undefined;
  if (route.permission === 'none') return [];
  if (route.permission === 'session') return [{ session: [] }];
  const rights = [route.permission, ...(route.also === undefined ? [] : [route.also])];
  if (route.permission.startsWith('operator')) return [{ operator: [] }, { session: rights }];
  return [{ key: rights }, { session: rights }];
}

const DESCRIPTION =
  "Mailgun's API where it is the same, and what Lethe adds. Every error is JSON with one string, `message`. Beside `key` and " +
  '`session` stand the rights that are needed.';

const COMPONENTS = {
  securitySchemes: {
    key: { type: 'http', scheme: 'basic', description: 'User `api`, and an API key as the password' },
    session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'Of a user who has signed in' },
    operator: { type: 'http', scheme: 'bearer', description: 'The token of whoever runs the platform' },
  },
  responses: {
    Error: {
      description: 'What is wrong, and what to do',
      content: {
        'application/json': {
          schema: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } },
        },
      },
    },
  },
};
