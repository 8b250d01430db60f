// `npm run reset`: removes the data of `npm start`. What it removes was made by an installed workspace.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder, node, root } from './paths.mjs';

if (existsSync(join(root, 'node_modules', '@lethe'))) {
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=@lethe/source'];
  const run = spawnSync(node(), [...flags, 'tools/dev/reset.ts'], { cwd: root, stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} else {
  rmSync(dataFolder(), { recursive: true, force: true });
  console.log(`Removed all local data (${dataFolder()}).`);
}
