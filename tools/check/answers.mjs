// What clients can be answered, taken from the sources, for docs/errors.md.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const STRING = String.raw`('(?:[^'\\]|\\.)*'|\`(?:[^\`\\]|\\.)*\`)`;
const PATTERNS = [
  // new ApiError(400, '…') and its kin; refuse('field', 'reason', '…') of libs/mail
  new RegExp(String.raw`ApiError\(\s*[\w.]+,\s*${STRING}`, 'g'),
  new RegExp(String.raw`refuse\(\s*\d+,\s*${STRING}`, 'g'),
  new RegExp(String.raw`refuse\(\s*[\w:']+,\s*'[\w-]+',\s*${STRING}`, 'g'),
];
/** The table of the filter: what Fastify and Nest refuse by themselves. */
const FILTER = 'libs/service/src/errors/error.filter.ts';
const TABLE = new RegExp(String.raw`^  \d{3}: ${STRING}`, 'gm');

/** Every message in `apps` and `libs` with the file that has it; `…` stands for what is filled in. */
export function answersOf(root) {
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !/\.test\.ts$|^libs\/(testing|kafka|vault|bodies|search|database)\//.test(file),
  );
  const found = new Map();
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    for (const pattern of file === FILTER ? [...PATTERNS, TABLE] : PATTERNS) {
      for (const [, literal] of source.matchAll(pattern)) {
        const text = literal
          .slice(1, -1)
          .replaceAll(/\$\{[^}]*\}+/g, '…')
          .replaceAll('\\', '');
        if (text !== '…') found.set(text, file);
      }
    }
  }
  return found;
}

/** The messages docs/errors.md explains: the first code span of each table row. */
export function explained(markdown) {
  return [...markdown.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message);
}
