/**
 * `npm test`: unit, service and system tests, stage by stage, against real stores that are started once for all of them (or those
 * LETHE_STORES describes). Arguments are passed to vitest: `npm test -- libs/kafka`. At its end stand once more the stages and what
 * failed in them; the last line is `N passed, N failed` over all stages. `--chaos` runs the long forms instead: kills and outages.
 *
 * Runs on the system's Node; what it starts runs on the project's.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureLines } from './failures.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const node = join(root, 'node_modules/.bin/node');
const given = process.argv.slice(2);
const chaos = given.includes('--chaos');
const filters = given.filter((argument) => argument !== '--chaos');
const stages = chaos ? ['chaos'] : ['unit', 'service', 'system-client', 'system-beside', 'system'];

if (!existsSync(node) || !existsSync(join(root, 'node_modules/vitest'))) {
  console.error('The dependencies are not installed. Run "npm ci" first.');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'lethe-test-'));
/** The stage that runs; ended when the run is. */
let current;
let interrupted = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    interrupted = true;
    current?.kill('SIGTERM');
  });
}

const total = { passed: 0, failed: 0, failures: [], stages: [] };
const stores = startStores();
try {
  for (const stage of stages) {
    if (interrupted) break;
    const counts = await runStage(stage);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.failures.push(...counts.failures);
  }
} finally {
  await stores.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(['', ...total.stages, ...failureLines(total.failures)].join('\n'));
if (interrupted) console.log('\nInterrupted.');
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 || interrupted ? 1 : 0;

/**
 * One set for all stages, starting while the unit tests run. With a filter there may be nothing that needs them: vitest's
 * global setup then starts them if a file does.
 */
function startStores() {
  const described = process.env.LETHE_STORES;
  if (described || filters.length > 0) return { ready: async () => described, stop: async () => {} };
  const begin = performance.now();
  const description = join(folder, 'stores.json');
  const child = spawn(
    node,
    [
      '--conditions=@lethe/source',
      '--disable-warning=TimeoutNegativeWarning',
      'libs/testing/src/stores/serve.ts',
      join(folder, 'stores'),
      description,
    ],
    // The channel tells it when this process is gone. Signals come from here, after the tests have ended.
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true },
  );
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', () => resolve(null)));
  const announced = new Promise((resolve) => child.once('message', () => resolve(description)));
  const ready = Promise.race([announced, ended]).then((result) => {
    process.stdout.write(output.trimEnd().replaceAll(/^/gm, 'stores: ') + '\n');
    if (result !== null)
      console.log(`stores: all ready ${((performance.now() - begin) / 1000).toFixed(1)} s after the start`);
    return result;
  });
  return {
    ready: () => ready,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function runStage(stage) {
  const begin = performance.now();
  const end = (counts) => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const line = `== ${stage}: ${counts.passed} passed, ${counts.failed} failed in ${seconds} s`;
    total.stages.push(line);
    console.log(line);
    return counts;
  };
  console.log(`\n== ${stage} tests`);
  const env = { ...process.env };
  if (stage !== 'unit') {
    const description = await stores.ready();
    if (description === null) {
      return end({ passed: 0, failed: 1, failures: [{ name: stage, error: ['not run: the stores did not start'] }] });
    }
    if (description) env.LETHE_STORES = description;
  }
  env.LETHE_TEST_REPORT = join(folder, `${stage}.json`);
  const code = await new Promise((resolve, reject) => {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', stage, '--passWithNoTests'];
    const reporters = ['--reporter=default', '--reporter=./tools/test/failures.reporter.ts'];
    current = spawn(node, [...vitest, ...reporters, ...filters], { cwd: root, env, stdio: 'inherit' });
    current.once('error', reject);
    current.once('close', resolve);
  });
  return end(readReport(env.LETHE_TEST_REPORT, stage, code));
}

function readReport(file, stage, code) {
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 0, failures: [] };
  // A file that cannot be loaded, or an error outside any test, fails no test but fails the run.
  if (code !== 0 && report.failed === 0) report.failed = 1;
  if (code !== 0 && report.failures.length === 0)
    report.failures.push({ name: stage, error: [`vitest ended with ${code}, above`] });
  return report;
}
