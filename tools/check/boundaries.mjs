// oxlint plugin: who may import whom (design §9). TypeScript project references alone let violations through,
// because npm hoists every package to where every other one finds it.
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { declared, packageOf, rootOf, workspacePackage } from './workspace.mjs';

// Each may import what stands to its right; `search` stands beside the chain, between apps and `service`.
const ORDER = 'app > privacy-holder > kafka > bodies > vault > database > service > contracts, mail';
const chain = ORDER.split(' > ').map((step) => step.split(', '));
const rank = (role) => chain.findIndex((roles) => roles.includes(role));

function inOrder(from, to) {
  if (to === 'search') return from === 'app';
  return rank(to) > (from === 'search' ? rank('database') : rank(from));
}

/** Why `file` (an absolute path) may not import `specifier`, or null where it may. */
export function violation(file, specifier) {
  const from = packageOf(dirname(file));
  if (!from || isBuiltin(specifier)) return null;
  if (/^\.{0,2}(\/|$)/.test(specifier)) {
    const inside = packageOf(dirname(resolve(dirname(file), specifier)))?.dir === from.dir;
    return inside ? null : `"${specifier}" leaves its package; import the library by its name`;
  }
  const root = rootOf(from);
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const missing = `"${name}" is not declared in the package.json of ${from.json.name}`;
  const shipped = relative(from.dir, file).startsWith('src') && !file.endsWith('.test.ts');
  const free = from.role === 'root' || from.role === 'testing'; // tools and the test library stand outside the order
  const test = !shipped || free || from.json.name === '@lethe/system-e2e';
  if (!name.startsWith('@lethe/')) {
    return [from, ...(test ? [root] : [])].some((pkg) => declared(pkg.json).includes(name)) ? null : missing;
  }
  const to = workspacePackage(root.dir, name);
  const subpath = `.${specifier.slice(name.length)}`;
  if (!to) return `there is no workspace package "${name}"`;
  if (to.role === 'app') return `"${name}" is an app; apps are never imported, they talk over Kafka`;
  if (!to.json.exports?.[subpath]) return `"${specifier}" reaches into a library; import "${name}"`;
  if (to.role === 'testing') return test ? null : '"@lethe/testing" is for tests only';
  if (free) return null;
  if (!inOrder(from.role, to.role)) return `${from.role} may not import ${to.role}: the order is ${ORDER}`;
  return declared(from.json).includes(name) ? null : missing;
}

function create(context) {
  const check = ({ source }) => {
    const message = typeof source?.value === 'string' && violation(context.filename, source.value);
    if (message) context.report({ node: source, message });
  };
  const kinds = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression'];
  return Object.fromEntries([...kinds, 'TSImportType'].map((kind) => [kind, check]));
}

export default { meta: { name: 'lethe' }, rules: { boundaries: { create } } };
