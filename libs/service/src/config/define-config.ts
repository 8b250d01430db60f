import { z } from 'zod';
import { commonConfig } from './common-config.ts';
import { variables } from './describe-config.ts';
import type { ConfigShape } from './describe-config.ts';

/**
 * The one config schema of a service: its own variables, the fragments of the libraries it uses
 * (`...databaseConfig`), and what every service has.
 * Throws when a variable has no description: an operator must be able to read what each one does.
 */
export function defineConfig<S extends ConfigShape>(own: S): z.ZodObject<typeof commonConfig & S> {
  const schema = z.object({ ...commonConfig, ...own });
  const undescribed = variables(schema).filter((variable) => !variable.description);
  if (undescribed.length > 0) {
    throw new Error(
      `Config variables without a description: ${undescribed.map(({ name }) => name).join(', ')}. ` +
        'Add .describe("what it is, unit") to each.',
    );
  }
  return schema;
}
