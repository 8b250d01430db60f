import { spawnSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesFaults } from './k8s.mjs';
import { variablesOf } from './settings.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const configs = import.meta.glob<Record<string, { shape?: object }>>('../../apps/*/src/config.ts', { eager: true });
const migrations = import.meta.glob('../../apps/*/src/migrate.ts');
const appOf = (path: string): string => basename(dirname(dirname(path)));

const migrating = Object.keys(migrations).map(appOf);
const services = Object.fromEntries(
  Object.entries(configs).map(([path, exports]) => {
    const app = appOf(path);
    return [app, variablesOf(app, exports['config'] ?? exports[`${app}Config`])];
  }),
);

const has = (command: string): boolean => spawnSync(command, ['version', '--client']).error === undefined;

it('knows all seven services', () => {
  const expected = ['accounts', 'delivery', 'events', 'gateway', 'ingest', 'privacy', 'suppression'];
  expect(Object.keys(services).toSorted()).toEqual(expected);
});

describe.skipIf(!has('kubectl'))('k8s/base (needs kubectl)', () => {
  let rendered: string;
  const objects = () => parseAllDocuments(rendered).map((document): any => document.toJS());
  const deployment = (all: any[], name: string) =>
    all.find((object) => object.kind === 'Deployment' && object.metadata.name === name).spec.template.spec;

  beforeAll(() => {
    const run = spawnSync('kubectl', ['kustomize', join(root, 'k8s/base')], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    rendered = run.stdout;
  });

  it('gives every service what it needs, and nothing it does not know', () => {
    expect(kubernetesFaults(objects(), services, migrating)).toEqual([]);
  });

  it.each<[string, (all: any[]) => void, string]>([
    [
      'a variable nobody reads',
      (all) => deployment(all, 'ingest').containers[0].env.push({ name: 'DATABSE_URL' }),
      'DATABSE_URL is not in the config schema',
    ],
    ['a missing variable', (all) => deployment(all, 'ingest').containers[0].env.splice(5), 'KAFKA_BROKERS is required'],
    [
      'a missing service',
      (all) =>
        all.splice(
          all.findIndex((o) => o.kind === 'Service' && o.metadata.name === 'events'),
          1,
        ),
      'Service/events is missing',
    ],
    [
      'a writable root',
      (all) => (deployment(all, 'events').containers[0].securityContext.readOnlyRootFilesystem = false),
      'readOnlyRootFilesystem',
    ],
    [
      'a grace that is too short',
      (all) => (deployment(all, 'events').terminationGracePeriodSeconds = 30),
      'terminationGracePeriodSeconds',
    ],
    [
      'a wrong probe',
      (all) => (deployment(all, 'events').containers[0].readinessProbe.httpGet.path = '/health/live'),
      'readinessProbe has to ask /health/ready',
    ],
    [
      'a reference to nowhere',
      (all) =>
        all.splice(
          all.findIndex((o) => o.kind === 'ConfigMap'),
          1,
        ),
      'which is nowhere',
    ],
    [
      'a migration left out',
      (all) => delete deployment(all, 'accounts').initContainers,
      'has no initContainer for dist/migrate.js',
    ],
  ])('names %s', (_, plant, fault) => {
    const all = objects();
    plant(all);
    expect(kubernetesFaults(all, services, migrating).join('\n')).toContain(fault);
  });
});
