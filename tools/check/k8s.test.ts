import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesFaults } from './k8s.mjs';
import { migrating, services } from './services.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const has = (command: string): boolean => spawnSync(command, ['version', '--client']).error === undefined;

/** As much of a manifest as is planted in below. */
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: Pod } };
}
interface Pod {
  terminationGracePeriodSeconds: number;
  initContainers?: unknown[];
  containers: [
    {
      env: { name: string }[];
      securityContext: { readOnlyRootFilesystem: boolean };
      readinessProbe: { httpGet: { path: string } };
    },
  ];
}

function deployment(all: Manifest[], name: string): Pod {
  const found = all.find((object) => object.kind === 'Deployment' && object.metadata.name === name);
  if (!found) throw new Error(`no Deployment ${name}`);
  return found.spec.template.spec;
}

it('knows all seven services', () => {
  const expected = ['accounts', 'delivery', 'events', 'gateway', 'ingest', 'privacy', 'suppression'];
  expect(Object.keys(services).toSorted()).toEqual(expected);
});

describe.skipIf(!has('kubectl'))('k8s/base (needs kubectl)', () => {
  let rendered = '';
  const render = (): Manifest[] => parseAllDocuments(rendered).map((document) => document.toJS() as Manifest);

  beforeAll(() => {
    const run = spawnSync('kubectl', ['kustomize', join(root, 'k8s/base')], { encoding: 'utf8' });
    if (run.stderr !== '') throw new Error(run.stderr);
    rendered = run.stdout;
  }, 60_000);

  it('gives every service what it needs, and nothing it does not know', () => {
    expect(kubernetesFaults(render(), services, migrating)).toEqual([]);
  });

  it.each<[string, (all: Manifest[]) => void, string]>([
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
    const all = render();
    plant(all);
    expect(kubernetesFaults(all, services, migrating).join('\n')).toContain(fault);
  });
});
