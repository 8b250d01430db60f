import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type { Failure } from './failures.mjs';

/** What one stage tells `npm test`, in the file that LETHE_TEST_REPORT names. */
export interface StageReport {
  passed: number;
  failed: number;
  failures: Failure[];
}

/** Beyond the failed tests it knows files that cannot be loaded, hooks of a suite, and errors outside of any test. */
// oxlint-disable-next-line import/no-default-export -- what vitest takes as a reporter
export default class FailuresReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.LETHE_TEST_REPORT;
    if (file === undefined) throw new Error('LETHE_TEST_REPORT names no file');
    const report: StageReport = { passed: 0, failed: 0, failures: [] };
    for (const module of modules) addModule(report, module);
    for (const error of unhandled) report.failures.push({ name: 'outside of any test', error: errorLines([error]) });
    writeFileSync(file, JSON.stringify(report));
  }
}

function addModule(report: StageReport, module: TestModule): void {
  const path = module.relativeModuleId;
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result();
    if (state === 'passed') report.passed += 1;
    if (state !== 'failed') continue;
    report.failed += 1;
    report.failures.push({ name: `${path} > ${test.fullName}`, error: errorLines(errors) });
  }
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0)
      report.failures.push({ name: `${path} > ${suite.fullName}`, error: errorLines(suite.errors()) });
  }
  if (module.errors().length > 0) report.failures.push({ name: path, error: errorLines(module.errors()) });
  if (module.state() === 'pending' || module.state() === 'queued')
    report.failures.push({ name: path, error: ['did not finish: its process ended'] });
}

/** The place in this repository, the message, the difference. */
function errorLines(errors: readonly SerializedError[]): string[] {
  return errors.flatMap(({ name, message, diff, stack }) => {
    const places = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !/node_modules|node:/.test(line));
    const text = `${name ?? 'Error'}: ${message}\n${typeof diff === 'string' ? diff : ''}`;
    const lines = stripVTControlCharacters(text).split('\n');
    return [...places.slice(0, 1).map((line) => line.trim()), ...lines.filter((line) => line.trim() !== '')];
  });
}
