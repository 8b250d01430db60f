import { StartupError } from '../errors/startup-error.ts';

/** Flags with which Node writes its memory, and with it mail and keys, to disk. */
const DUMPING = /^--(?:abort-on-uncaught-exception|heapsnapshot-|heap-prof|report-)/;

/** Throws StartupError: what is dumped no erasure can reach. `flags` from execArgv and NODE_OPTIONS. */
export function refuseDumps(flags: readonly string[]): void {
  const flag = flags.find((candidate) => DUMPING.test(candidate.replaceAll('_', '-')));
  if (flag) {
    const name = flag.split('=', 1)[0];
    throw new StartupError(`Node runs with ${name}, which can write memory to disk. Start it without.`);
  }
}
