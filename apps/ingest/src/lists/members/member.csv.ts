import { invalid } from '../../form/refusals.ts';
import { memberOf, type MemberInput } from './member.input.ts';

const COLUMNS = ['address', 'name', 'vars', 'subscribed'] as const;
/** Longer lines are no member's, nor are wider ones. */
const MAX_CELL = 32_768;
const MAX_CELLS = 100;
/** Empty lines at once: as many as there are cost no more than one. */
const NOTHING = /[ \t\r\n]*[\r\n]/y;

/**
 * Members of a file (RFC 4180, UTF-8), one at a time: the first row may name the columns (`address`, `name`, `vars` as a JSON
 * object, `subscribed`); others are passed over. Without such a row they come in that order.
 * @throws ApiError 400 naming the row.
 */
export function* csvMembers(content: Buffer, subscribed: boolean | undefined): Generator<MemberInput> {
  let columns: readonly string[] = COLUMNS;
  let row = 0;
  for (const cells of csvRows(content)) {
    row += 1;
    if (row === 1 && cells.some((cell) => cell.trim().toLowerCase() === 'address')) {
      columns = cells.map((cell) => cell.trim().toLowerCase());
      continue;
    }
    const fields = (name: string): string | undefined => cells[columns.indexOf(name)]?.trim() || undefined;
    const address = fields('address');
    const place = `members[row ${row}].`;
    if (address === undefined) throw invalid(`${place}address`, 'it is empty');
    const member = memberOf(address, fields, place);
    yield { ...member, subscribed: member.subscribed ?? subscribed };
  }
}

/** Rows that hold anything. A quote within a quoted cell is doubled; an octet order mark is no part of the first cell. */
function* csvRows(content: Buffer): Generator<string[]> {
  const text = content.toString('utf8');
  let at = text.startsWith('\u{feff}') ? 1 : 0;
  let cells: string[] = [];
  while (at < text.length) {
    if (cells.length === 0) {
      NOTHING.lastIndex = at;
      if (NOTHING.test(text)) at = NOTHING.lastIndex;
      if (at >= text.length) return;
    }
    if (cells.length >= MAX_CELLS) throw invalid('members', `a row of the file has more than ${MAX_CELLS} cells`);
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 2) {
        const end = text.indexOf('"', at);
        if (end === -1) throw invalid('members', 'a quoted cell of the file has no end');
        cell += text.slice(at, end);
        if (cell.length > MAX_CELL) throw invalid('members', 'a cell of the file is too long');
        at = end;
        if (text[at + 1] !== '"') break;
        cell += '"';
      }
      at += 1;
    }
    const end = endOfCell(text, at);
    cell += text.slice(at, end);
    if (cell.length > MAX_CELL) throw invalid('members', 'a cell of the file is too long');
    cells.push(cell);
    at = end;
    if (text[at] === ',') {
      at += 1;
      // What follows the last comma of a file is a cell, too.
      if (at < text.length) continue;
      cells.push('');
    } else at += text.startsWith('\r\n', at) ? 2 : 1;
    if (cells.some((one) => one.trim() !== '')) yield cells;
    cells = [];
  }
}

function endOfCell(text: string, from: number): number {
  const found = /[,\r\n]/g;
  found.lastIndex = from;
  return found.exec(text)?.index ?? text.length;
}
