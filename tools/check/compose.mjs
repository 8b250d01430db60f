// Checks of docker-compose.yml: every service is there, nothing is reachable from outside, everything is bounded.
import { settingFaults } from './settings.mjs';

const STORES = ['kafka', 'elasticsearch', 'postgres', 'vault', 'bucket'];

/**
 * @param compose the parsed file, merge keys resolved, variables not
 * @param given `{service: names}`: the variables of its env file
 * @param services `{name: variables}`, variables as `variablesOf` gives them
 */
export function composeFaults(compose, given, services) {
  const present = Object.keys(compose.services);
  const expected = [...Object.keys(services), ...STORES, 'provision', 'world', 'demo'];
  return [
    ...expected.filter((name) => !present.includes(name)).map((name) => `${name} is missing`),
    ...present.filter((name) => !expected.includes(name)).map((name) => `${name} is not known to this check`),
    ...Object.entries(compose.services).flatMap(([name, service]) => serviceFaults(name, service, present)),
    ...Object.keys(services).flatMap((app) =>
      appFaults(app, compose.services[app] ?? {}, given[app] ?? [], services[app]),
    ),
    ...STORES.filter((store) => !compose.services[store]?.healthcheck).map(
      (store) => `${store}: a healthcheck is missing`,
    ),
  ];
}

function serviceFaults(name, service, present) {
  const { image = '', ports = [], mem_limit, logging, depends_on = {}, ulimits } = service;
  const shared = /^service:(.*)$/.exec(service.network_mode ?? '')?.[1];
  const wrong = {
    'the image needs a version from the env file': !/^[\w./-]+:\$\{[A-Z_]+(:\?[^}]*)?\}$/.test(image),
    'ports have to be bound to 127.0.0.1': ports.some((port) => !String(port).startsWith('127.0.0.1:')),
    'mem_limit is missing': !mem_limit,
    'logs have to be bounded (max-size, max-file)': !logging?.options?.['max-size'] || !logging?.options?.['max-file'],
    'no-new-privileges is missing': !service.security_opt?.includes('no-new-privileges:true'),
    'core dumps have to be off': ulimits?.core !== 0,
    'shares the network of a service that is not there': shared !== undefined && !present.includes(shared),
  };
  const faults = Object.entries(wrong).flatMap(([fault, found]) => (found ? [`${name}: ${fault}`] : []));
  const unmet = Object.keys(depends_on).filter((other) => !present.includes(other));
  return [...faults, ...unmet.map((other) => `${name}: waits for ${other}, which is not there`)];
}

function appFaults(app, service, names, known) {
  const files = service.env_file ?? [];
  const wrong = {
    'its env file is missing': !files.some((file) => file.endsWith(`/${app}.env`)),
    'the build argument APP has to be its name': service.build?.args?.APP !== app,
    'it has to wait for provisioning': service.depends_on?.provision?.condition !== 'service_completed_successfully',
    'the root file system has to be read-only': service.read_only !== true,
    'all capabilities have to be dropped': !service.cap_drop?.includes('ALL'),
  };
  // An env file may hold more than one service reads: what is common is written for all.
  const own = names.filter((name) => known.has(name));
  return [
    ...Object.entries(wrong).flatMap(([fault, found]) => (found ? [`${app}: ${fault}`] : [])),
    ...settingFaults(app, [...own, ...Object.keys(service.environment ?? {})], known),
  ];
}
