import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { explainBounce, MAX_BOUNCE, REASONS, type ExplainedBounce } from '@lethe/mail';

/**
 * `npm run -s bounce -- [--labels] FILE…`: explains bounces to an operator, a line per recipient. The line has no address in
 * it, as it may be kept or passed on.
 */
const USAGE = 'npm run -s bounce -- [--labels] FILE…';

/** Only as much as is explained: a bounce may return a message of any size. */
function readStart(file: string): Buffer {
  const opened = openSync(file, 'r');
  try {
    if (!fstatSync(opened).isFile()) throw new Error('it is no file');
    const buffer = Buffer.alloc(MAX_BOUNCE);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = readSync(opened, buffer, length, buffer.length - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(opened);
  }
}

/** Tab-separated: a name with a tab or a line end in it must not look like more fields. */
function line(file: string, number: number, bounce: ExplainedBounce, labels: boolean): string {
  const reason = labels ? REASONS[bounce.reason].label : bounce.reason;
  const fields = [named(file), number, bounce.enhancedCode ?? '', bounce.replyCode ?? '', reason, bounce.hard];
  return fields.join('\t');
}

const named = (file: string): string => file.replace(/\p{Cc}/gu, '?');

function main(args: string[]): number {
  const end = args.indexOf('--');
  const isFlag = (arg: string, at: number) => arg.startsWith('--') && (end < 0 || at <= end);
  const flags = args.filter((arg, at) => isFlag(arg, at) && arg !== '--');
  const files = args.filter((arg, at) => !isFlag(arg, at));
  const unknown = flags.find((flag) => flag !== '--labels');
  if (unknown !== undefined || files.length === 0) {
    console.error(unknown === undefined ? `no file is named: ${USAGE}` : `${unknown} is no option: ${USAGE}`);
    return 1;
  }
  let failed = 0;
  for (const file of files) {
    try {
      const bounces = explainBounce(readStart(file));
      if (bounces.length === 0) throw new Error('it is no bounce, complaint or automatic reply that is known');
      for (const [at, bounce] of bounces.entries()) console.log(line(file, at + 1, bounce, flags.length > 0));
    } catch (error) {
      failed++;
      console.error(`${named(file)}: ${reasonOf(error)}`);
    }
  }
  return failed > 0 ? 1 : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be read';
  return 'code' in error && typeof error.code === 'string' ? `it cannot be read (${error.code})` : error.message;
}

process.exitCode = main(process.argv.slice(2));
