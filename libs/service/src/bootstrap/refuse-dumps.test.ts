import { expect, it } from 'vitest';
import { refuseDumps } from './refuse-dumps.ts';

it.each(['--heapsnapshot-signal=SIGUSR2', '--abort_on_uncaught_exception', '--report-on-fatalerror', '--heap-prof'])(
  'refuses to run with %s',
  (flag) => {
    expect(() => refuseDumps(['--enable-source-maps', flag])).toThrow('memory to disk');
  },
);

it('lets other flags pass', () => {
  expect(() => refuseDumps(['--max-semi-space-size=1', '--import', '@lethe/service/otel'])).not.toThrow();
});
