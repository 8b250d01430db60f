// Checks of the rendered Kubernetes manifests (`kubectl kustomize k8s/base`): every service is there, hardened, and gets exactly
// the variables its config schema knows.
import { settingFaults } from './settings.mjs';

/** The environment's own objects, promised by k8s/README.md; everything else has to be among the manifests. */
const PROVIDED = /^Secret\/lethe-/;

/**
 * @param objects parsed manifests
 * @param services `{name: variables}`, variables as `variablesOf` gives them
 * @param migrating names of the services that have a migrate step
 */
export function kubernetesFaults(objects, services, migrating) {
  const names = new Set(objects.map((object) => `${object.kind}/${object.metadata.name}`));
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  const expected = Object.keys(services).flatMap((app) => [
    `Deployment/${app}`,
    `Service/${app}`,
    `ServiceAccount/${app}`,
  ]);
  return [
    ...expected.filter((name) => !names.has(name)).map((name) => `${name} is missing`),
    ...deployments
      .filter(({ metadata }) => !services[metadata.name])
      .map(({ metadata }) => `Deployment/${metadata.name}: there is no such app`),
    ...deployments.flatMap((deployment) => {
      const app = deployment.metadata.name;
      const pod = deployment.spec.template.spec;
      const [container, ...more] = pod.containers;
      const where = `Deployment/${app}`;
      const env = (container.env ?? []).map(({ name }) => name);
      const migrates = pod.initContainers?.some((init) => init.args?.includes('dist/migrate.js')) ?? false;
      return [
        ...(services[app] ? settingFaults(where, env, services[app]) : []),
        ...references(pod)
          .filter((name) => !names.has(name) && !PROVIDED.test(name))
          .map((name) => `${where}: refers to ${name}, which is nowhere`),
        ...[container, ...(pod.initContainers ?? [])].flatMap((each) => containerFaults(`${where}/${each.name}`, each)),
        ...hardeningFaults(where, pod, container),
        ...(more.length > 0 ? [`${where}: one container a pod`] : []),
        ...(migrates === migrating.includes(app)
          ? []
          : [
              `${where}: ${migrates ? 'has a migrate step and the app has none' : 'has no initContainer for dist/migrate.js'}`,
            ]),
      ];
    }),
  ];
}

function hardeningFaults(where, pod, container) {
  const env = new Map((container.env ?? []).map(({ name, value }) => [name, Number(value)]));
  const probes = { startupProbe: '/health/live', livenessProbe: '/health/live', readinessProbe: '/health/ready' };
  const wrong = {
    'automountServiceAccountToken has to be false': pod.automountServiceAccountToken !== false,
    'a service account of its own is missing': pod.serviceAccountName === undefined,
    'runAsNonRoot is missing': pod.securityContext?.runAsNonRoot !== true,
    'seccompProfile has to be RuntimeDefault': pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault',
    'terminationGracePeriodSeconds has to exceed SHUTDOWN_GRACE_MS': !(
      pod.terminationGracePeriodSeconds * 1000 >
      env.get('SHUTDOWN_GRACE_MS')
    ),
    'SHUTDOWN_GRACE_MS has to exceed SHUTDOWN_DRAIN_MS': !(env.get('SHUTDOWN_GRACE_MS') > env.get('SHUTDOWN_DRAIN_MS')),
  };
  for (const [probe, path] of Object.entries(probes)) {
    wrong[`${probe} has to ask ${path}`] = container[probe]?.httpGet?.path !== path;
  }
  return Object.entries(wrong)
    .filter(([, fault]) => fault)
    .map(([fault]) => `${where}: ${fault}`);
}

function containerFaults(where, { image, securityContext: own, resources }) {
  const wrong = {
    'readOnlyRootFilesystem is missing': own?.readOnlyRootFilesystem !== true,
    'allowPrivilegeEscalation has to be false': own?.allowPrivilegeEscalation !== false,
    'all capabilities have to be dropped': !own?.capabilities?.drop?.includes('ALL'),
    'a memory limit is missing': !resources?.limits?.memory,
    'requests are missing': !resources?.requests?.memory || !resources?.requests?.cpu,
    'the image needs a tag': !/:[^:/]+$/.test(image) || image.endsWith(':latest'),
  };
  return Object.entries(wrong)
    .filter(([, fault]) => fault)
    .map(([fault]) => `${where}: ${fault}`);
}

/** ConfigMaps, Secrets and service accounts a pod needs, as `Kind/name`. */
function references(pod) {
  const fromEnv = [...pod.containers, ...(pod.initContainers ?? [])]
    .flatMap(({ env }) => env ?? [])
    .flatMap(({ valueFrom }) => [
      ...(valueFrom?.configMapKeyRef ? [`ConfigMap/${valueFrom.configMapKeyRef.name}`] : []),
      ...(valueFrom?.secretKeyRef ? [`Secret/${valueFrom.secretKeyRef.name}`] : []),
    ]);
  const fromVolumes = (pod.volumes ?? []).flatMap(({ secret, projected }) => [
    ...(secret ? [`Secret/${secret.secretName}`] : []),
    ...(projected?.sources ?? []).flatMap((source) => (source.secret ? [`Secret/${source.secret.name}`] : [])),
  ]);
  return [...new Set([...fromEnv, ...fromVolumes, `ServiceAccount/${pod.serviceAccountName}`])];
}
