// The end of `npm test`: what failed, in full, where somebody looks who sees only the last lines.

/** Lines of one failure's error, lines of all failures, and how many are named. */
const LINES_EACH = 15;
const LINES = 90;
const NAMED = 40;
const WIDTH = 300;

/** The names of all failures, each with as much of its error as there is room for. At most LINES lines, and one on what was left off. */
export function failureLines(failures) {
  const named = failures.slice(0, NAMED);
  const each = Math.min(LINES_EACH, Math.floor(LINES / named.length) - 1);
  const lines = named.flatMap(({ name, error }) => [
    `✗ ${name}`.slice(0, WIDTH),
    ...error.slice(0, each).map((line) => `    ${line}`.slice(0, WIDTH)),
  ]);
  if (failures.length > named.length) lines.push(`… and ${failures.length - named.length} more, above`);
  return lines;
}
