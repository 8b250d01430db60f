import type { Chunk } from './datums.ts';

/** More copies of one chunk are not told apart: old versions of a page's rows are mostly the same octets again. */
const MOST_COPIES = 4;

/** Puts the values of TOAST tables together again from whatever rows of them are still there. */
export class ToastValues {
  /** Where the copies of a chunk lie, by value and sequence. */
  private readonly values = new Map<number, Map<number, Chunk[]>>();

  add(chunk: Chunk): void {
    const value = this.values.get(chunk.valueId) ?? new Map<number, Chunk[]>();
    const copies = value.get(chunk.sequence) ?? [];
    if (copies.length < MOST_COPIES) copies.push(chunk);
    value.set(chunk.sequence, copies);
    this.values.set(chunk.valueId, value);
  }

  /** What follows one another, by value; with more than one copy of a chunk more than one try. */
  *runs(): Generator<Chunk[]> {
    for (const value of this.values.values()) {
      const copies = Math.max(...[...value.values()].map(({ length }) => length));
      for (let copy = 0; copy < copies; copy += 1) yield* consecutive(value, copy);
    }
  }
}

function* consecutive(value: ReadonlyMap<number, readonly Chunk[]>, copy: number): Generator<Chunk[]> {
  let run: Chunk[] = [];
  for (const sequence of [...value.keys()].toSorted((one, other) => one - other)) {
    if (run.length > 0 && run.at(-1)!.sequence !== sequence - 1) {
      yield run;
      run = [];
    }
    const copies = value.get(sequence)!;
    run.push(copies[Math.min(copy, copies.length - 1)]!);
  }
  yield run;
}
