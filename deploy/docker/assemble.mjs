// `node deploy/docker/assemble.mjs <app> <target>`: puts what one service runs from into <target>: node_modules, and the
// compiled code and package.json of the app and of its libraries, in the layout of the workspace, because npm links
// `node_modules/@lethe/x` to `libs/x`. No sources, no declarations, no tests. Runs after `npm ci --workspace`, which links
// the app and what it depends on and nothing else.
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';

const [app, target] = process.argv.slice(2);
if (!app || !target || !existsSync(join('apps', app, 'package.json'))) {
  console.error(
    `Usage: assemble.mjs <app> <target folder>; there is no apps/${app ?? ''}. Is the build argument APP set?`,
  );
  process.exit(2);
}

/** Declarations and build information serve compilers only. */
const runs = (path) => !/\.d\.[cm]?ts(\.map)?$|\.tsbuildinfo$/.test(path);

function copy(from, filter = () => true) {
  cpSync(from, join(target, from), { recursive: true, verbatimSymlinks: true, filter });
}

mkdirSync(target, { recursive: true });
copy('node_modules');
for (const name of readdirSync('node_modules/@lethe')) {
  const folder = relative(process.cwd(), realpathSync(join('node_modules/@lethe', name)));
  if (!existsSync(join(folder, 'dist'))) throw new Error(`${folder} is not built; run "npx tsc -b" first`);
  copy(join(folder, 'package.json'));
  copy(join(folder, 'dist'), runs);
  if (existsSync(join(folder, 'node_modules'))) copy(join(folder, 'node_modules'));
}
