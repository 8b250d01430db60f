// What the checks know of the workspace. Plain JavaScript: the linter loads it, and the system's Node runs it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const packages = new Map();

/**
 * The package a folder belongs to: `{dir, json, role}`, or null outside of any.
 * `role` is `app`, a library's name (from the Nx tag `lib:<name>`), or `root`.
 */
export function packageOf(dir) {
  if (packages.has(dir)) return packages.get(dir);
  const file = join(dir, 'package.json');
  let found = null;
  if (existsSync(file)) {
    const json = JSON.parse(readFileSync(file, 'utf8'));
    const tag = json.nx?.tags?.find((t) => /^(app|lib):/.test(t)) ?? '';
    found = { dir, json, role: json.workspaces ? 'root' : tag.startsWith('app:') ? 'app' : tag.slice(4) };
  } else if (dirname(dir) !== dir) {
    found = packageOf(dirname(dir));
  }
  packages.set(dir, found);
  return found;
}

/** The workspace root above a package; packages are two levels down (`apps/x`, `libs/y`). */
export function rootOf(pkg) {
  return pkg.role === 'root' ? pkg : packageOf(dirname(dirname(pkg.dir)));
}

/** The workspace package called `@lethe/<x>`, or null. */
export function workspacePackage(root, name) {
  const dirs = ['libs', 'apps'].map((group) => join(root, group, name.slice('@lethe/'.length)));
  const dir = dirs.find((d) => existsSync(join(d, 'package.json')));
  return dir ? packageOf(dir) : null;
}

/** Every package of `apps` or `libs`, in the order of their names. */
export function workspacePackages(root, group) {
  return readdirSync(join(root, group), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, group, entry.name, 'package.json')))
    .map((entry) => packageOf(join(root, group, entry.name)))
    .toSorted((a, b) => a.dir.localeCompare(b.dir));
}

/** The names of all packages that a package.json declares. */
export function declared(json) {
  return Object.keys({
    ...json.dependencies,
    ...json.devDependencies,
    ...json.optionalDependencies,
    ...json.peerDependencies,
  });
}
