// Compares the variables a deployment gives a service with the config schema of that service.

/** Variables that the runtime, not the schema, reads. */
const RUNTIME = new Set(['NODE_ENV', 'NODE_OPTIONS', 'KAFKAJS_NO_PARTITIONER_WARNING']);

/**
 * The variables of a service by name, true where one has to be given. `schema` is the zod object of its config.ts;
 * `createService` adds the identity key, private for the one that authenticates by itself.
 */
export function variablesOf(app, schema) {
  const identity = app === 'gateway' ? 'IDENTITY_PRIVATE_KEY_FILE' : 'IDENTITY_PUBLIC_KEY_FILE';
  const own = Object.entries(schema.shape).map(([name, field]) => [name, !field.safeParse(undefined).success]);
  return new Map([...own, [identity, true]]);
}

/** Faults of the variables `given` to `app`, each a line that starts with `where`. */
export function settingFaults(where, given, known) {
  const names = new Set(given);
  const unknown = [...names].filter((name) => !known.has(name) && !RUNTIME.has(name));
  const missing = [...known].filter(([name, required]) => required && !names.has(name)).map(([name]) => name);
  const doubled = given.filter((name, index) => given.indexOf(name) !== index);
  return [
    ...unknown.map((name) => `${where}: ${name} is not in the config schema of the service; remove it or correct it`),
    ...missing.map((name) => `${where}: ${name} is required and not given`),
    ...doubled.map((name) => `${where}: ${name} is given twice`),
  ];
}
