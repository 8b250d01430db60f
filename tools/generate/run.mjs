// `npm run generate`: through the same transformation as the tests, because declarations stand beside Nest modules, whose decorators
// Node does not strip; and from the sources, not from what was built last.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

await runnerImport(fileURLToPath(new URL('write.ts', import.meta.url)), {
  configFile: false,
  logLevel: 'error',
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  environments: { inline: { resolve: { conditions: ['@lethe/source'], noExternal: [/^@lethe\//] } } },
});
