// Checks the layout of the workspace (design §9): `node tools/check/layout.mjs [root]` lists every fault and how to
// mend it, and exits 1 if there is one.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workspacePackages } from './workspace.mjs';

const WARN_LINES = 500;
const MAX_LINES = 600;
const SOURCES = '{apps,libs,tools}/**/*.{ts,tsx,mts,js,mjs,sql}';
const NOT_OURS = /(^|\/)(node_modules|dist|fixtures|generated)(\/|$)/;

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Faults and warnings of the workspace at `root`, each one line that says where and what to do. */
export function checkLayout(root) {
  const apps = workspacePackages(root, 'apps');
  const libs = workspacePackages(root, 'libs');
  const sources = globSync(SOURCES, { cwd: root, exclude: (path) => NOT_OURS.test(path) }).toSorted();
  const lengths = sources.map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1]);
  return {
    faults: [
      ...apps.flatMap((pkg) => packageFaults(root, pkg, 'app')),
      ...libs.flatMap((pkg) => packageFaults(root, pkg, 'lib')),
      ...apps.flatMap((pkg) => appFaults(root, pkg)),
      ...libs.flatMap((pkg) => indexFaults(root, pkg)),
      ...rootReferenceFaults(root, [...libs, ...apps]),
      ...topicLiteralFaults(root, sources),
      ...lengths
        .filter(([, n]) => n > MAX_LINES)
        .map(([file, n]) => `${file}: ${n} lines; split it (at most ${MAX_LINES})`),
    ],
    warnings: lengths
      .filter(([, n]) => n > WARN_LINES && n <= MAX_LINES)
      .map(([file, n]) => `${file}: ${n} lines; it fails above ${MAX_LINES}`),
  };
}

function packageFaults(root, { dir, json }, group) {
  const at = relative(root, dir);
  const faults = [];
  const tag = `${group}:${basename(dir)}`;
  if (json.name !== `@lethe/${basename(dir)}`) faults.push(`${at}/package.json: name it "@lethe/${basename(dir)}"`);
  if (!json.nx?.tags?.includes(tag)) faults.push(`${at}/package.json: add "${tag}" to nx.tags`);
  if (!existsSync(join(dir, 'src'))) return faults; // tests alone, as apps/system-e2e
  if (!existsSync(join(dir, 'tsconfig.json'))) return [...faults, `${at}: tsconfig.json is missing`];
  const wanted = Object.keys(json.dependencies ?? {}).filter((name) => name.startsWith('@lethe/'));
  const references = (readJson(join(dir, 'tsconfig.json')).references ?? []).map(({ path }) => resolve(dir, path));
  const referenced = references.map((path) => `@lethe/${basename(path)}`);
  for (const name of wanted) {
    if (!referenced.includes(name))
      faults.push(`${at}/tsconfig.json: add a reference to ${name}, which package.json declares`);
  }
  for (const name of referenced) {
    if (!wanted.includes(name))
      faults.push(`${at}/tsconfig.json: remove the reference to ${name}, or declare it in package.json`);
  }
  return faults;
}

function appFaults(root, { dir }) {
  const at = relative(root, dir);
  const faults = [];
  if (!existsSync(join(dir, 'README.md')))
    faults.push(`${at}: README.md is missing: what it promises, owns and serves`);
  for (const file of globSync('src/**/index.ts', { cwd: dir })) {
    faults.push(`${at}/${file}: apps have no index.ts; import the file itself`);
  }
  return faults;
}

function indexFaults(root, { dir }) {
  const found = globSync('src/**/index.ts', { cwd: dir });
  const at = relative(root, dir);
  if (!found.includes(join('src', 'index.ts'))) return [`${at}: src/index.ts is missing`];
  return found.slice(1).length > 0
    ? [`${at}: one src/index.ts is the whole public surface, found ${found.join(', ')}`]
    : [];
}

function rootReferenceFaults(root, packages) {
  const referenced = readJson(join(root, 'tsconfig.json')).references.map(({ path }) => resolve(root, path));
  return packages
    .filter(({ dir }) => existsSync(join(dir, 'src')) && !referenced.includes(dir))
    .map(({ dir }) => `tsconfig.json: add a reference to ${relative(root, dir)}, else nobody compiles it`);
}

/** A mistyped topic name is silence; a constant of contracts is a compile error. */
function topicLiteralFaults(root, sources) {
  const declarations = globSync('libs/contracts/src/topics/*.ts', { cwd: root });
  const text = declarations.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const topics = [...text.matchAll(/\b(?:name|deadLetter): '([a-z][a-z-]+)'/g)].map((match) => match[1]);
  if (topics.length === 0) return ['libs/contracts/src/topics: no topic is declared there'];
  const literal = new RegExp(`(['"])(${topics.join('|')})\\1`);
  return sources
    .filter((file) => !file.startsWith('libs/contracts/') && !/\.test\.ts$|\/test\/|^apps\/system-e2e\//.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .map((line, index) => [literal.exec(line), index + 1])
        .filter(([match]) => match)
        .map(([match, line]) => `${file}:${line}: topic ${match[0]} is a constant of @lethe/contracts; import it`),
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { faults, warnings } = checkLayout(resolve(process.argv[2] ?? '.'));
  for (const warning of warnings) console.warn(`warning: ${warning}`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) console.error(`\n${faults.length} fault(s) in the layout; CONTRIBUTING.md describes it.`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
