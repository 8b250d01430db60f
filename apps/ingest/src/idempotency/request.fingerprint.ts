import { createHash } from 'node:crypto';
import type { Form } from '../form/form.parser.ts';

/**
 * Tells requests apart by what they say, not by how a form writes it: another boundary, encoding or compression is the same request. It
 * is a plain hash of personal data: only ever the input of a keyed one.
 */
export function fingerprintOf(door: string, { fields, files }: Form): string {
  const hash = createHash('sha256');
  // With its length, so that nothing can slip from one part into the next.
  const add = (...parts: (string | Buffer)[]): void => {
    for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  add(door);
  for (const name of [...fields.keys()].toSorted()) add('field', name, ...(fields.get(name) ?? []));
  for (const { field, filename, contentType, content } of files) add('file', field, filename, contentType, content);
  return hash.digest('hex');
}
