// Plain JavaScript that Node 20 takes: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { prerequisites } from './prerequisites.mjs';
import { install } from './install.mjs';
import { node, root } from './paths.mjs';

const begin = performance.now();
const say = (line) => console.log(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`);

try {
  const engine = prerequisites();
  say(
    engine === 'docker'
      ? 'a Docker engine answers: everything runs in containers (LETHE_ENGINE=native runs it without)'
      : 'no Docker engine: the stores run natively',
  );
  await install(say);
  const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
  const child = spawn(
    node(),
    [...flags, '--conditions=@lethe/source', 'tools/dev/start.ts', ...process.argv.slice(2)],
    {
      cwd: root,
      // The channel tells it when this process is gone, however it went.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        KAFKAJS_NO_PARTITIONER_WARNING: '1',
        LETHE_ENGINE: engine,
        LETHE_BEGIN: String(Date.now() - Math.round(performance.now() - begin)),
      },
    },
  );
  // The terminal sends Ctrl-C to the whole group; a plain SIGTERM must be passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGTERM'));
  child.on('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}
