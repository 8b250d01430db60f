import { defineConfig } from 'vitest/config';

/** Libraries are tested from their sources, not from what was built last. */
const source = ['@lethe/source', 'node', 'development|production'];

const base = {
  // Test files are outside of every tsconfig, where this stands for the sources: Nest classes in tests need it too.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source, externalConditions: ['@lethe/source', 'node'] } },
};

const storeTest = {
  environment: 'node',
  globalSetup: ['./tools/test/stores.setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 90_000,
};

const systemTest = { ...storeTest, testTimeout: 180_000, hookTimeout: 180_000 };

/** System tests that wait for leases, retries and intervals more than they work: two at once, each on a platform of its own. */
const BESIDE = ['apps/system-e2e/test/{erasure,beside}/*.test.ts'];

export default defineConfig({
  ...base,
  test: {
    pool: 'forks',
    // Stores and services share the machine with the tests.
    maxWorkers: 2,
    // kafkajs says both at every start.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    env: { KAFKAJS_NO_PARTITIONER_WARNING: '1' },
    projects: [
      {
        ...base,
        test: {
          name: 'unit',
          environment: 'node',
          include: ['{apps,libs}/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'deploy/**/*.test.ts'],
          exclude: ['tools/*/test/**', '**/node_modules/**'],
          // Bounds what hangs, not what is slow: another file runs beside it, and the stores start.
          testTimeout: 30_000,
        },
      },
      {
        ...base,
        test: {
          ...storeTest,
          name: 'service',
          include: ['{apps,libs,tools}/*/test/**/*.test.ts'],
          exclude: ['apps/system-e2e/**', '**/node_modules/**'],
        },
      },
      {
        ...base,
        test: {
          ...systemTest,
          name: 'system-client',
          include: ['apps/system-e2e/test/client/*.test.ts'],
          globalSetup: [...storeTest.globalSetup, './tools/test/platform.setup.ts'],
        },
      },
      {
        ...base,
        test: {
          ...systemTest,
          name: 'system-beside',
          include: BESIDE,
          // Beginning waits for the beginning of the other.
          hookTimeout: 600_000,
        },
      },
      {
        ...base,
        test: {
          ...systemTest,
          name: 'system',
          include: ['apps/system-e2e/test/**/*.test.ts'],
          exclude: [...BESIDE, 'apps/system-e2e/test/client/**', '**/node_modules/**'],
          // One whole system at a time, and nothing beside it.
          fileParallelism: false,
        },
      },
      {
        ...base,
        test: {
          ...storeTest,
          name: 'chaos',
          include: ['apps/system-e2e/chaos/**/*.chaos.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
