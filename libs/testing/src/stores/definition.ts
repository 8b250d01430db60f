import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Versions and settings of the stores, the same for Docker and the native runtime. */
export const DEFINITION = fileURLToPath(new URL('../../../../deploy/stores/', import.meta.url));

export function definitionFile(name: string): string {
  return readFileSync(DEFINITION + name, 'utf8');
}

let values: Map<string, string> | undefined;

/** A value of deploy/stores/versions.env. */
export function version(name: string): string {
  values ??= new Map(
    definitionFile('versions.env')
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => line.split(/=(.*)/s, 2) as [string, string]),
  );
  const value = values.get(name);
  if (value === undefined) throw new Error(`deploy/stores/versions.env has no ${name}.`);
  return value;
}
