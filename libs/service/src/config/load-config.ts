import type { z } from 'zod';
import { StartupError } from '../errors/startup-error.ts';
import { variables } from './describe-config.ts';

/** Injection token of the service's config: `@Inject(CONFIG) config: IngestConfig`. */
export const CONFIG = Symbol('lethe.config');

/**
 * Reads a config schema from environment variables. An empty variable counts as absent.
 * Throws one StartupError that lists every wrong or missing variable with what it is for; values
 * are never shown, since a variable in the wrong place may be a secret.
 */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  environment: Record<string, string | undefined> = process.env,
): z.infer<S> {
  const known = variables(schema);
  const given = Object.fromEntries(
    known
      .map(({ name }) => [name, environment[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = known.flatMap(({ name, description }) => {
    const issues = parsed.error.issues.filter((issue) => issue.path[0] === name);
    if (issues.length === 0) return [];
    const wrong = name in given ? issues.map((issue) => issue.message).join('; ') : 'missing';
    return [`  ${name}: ${wrong}\n    (${description ?? 'no description'})`];
  });
  throw new StartupError(`The configuration is not usable:\n${lines.join('\n')}`);
}
