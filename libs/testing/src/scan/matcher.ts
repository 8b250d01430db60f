import { encodingsOf, type Encoded } from './encodings.ts';
import { hashesOf } from './hashes.ts';
import type { Needle } from './needle.ts';
import type { Seeker } from './scan.ts';

export interface Pattern extends Encoded {
  /** Name of what it stands for. */
  readonly needle: string;
}

const TABLE_BITS = 18;
const BLOCK = 3;
const SHORTEST = 8;
const LONGEST = 200;

const FOLD = Uint8Array.from({ length: 256 }, (_, octet) => (octet >= 65 && octet <= 90 ? octet + 32 : octet));

/**
 * Finds thousands of patterns in one pass (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994): a table by
 * the last three octets of a window says how far it may move. The table knows letters in one case only; a candidate is
 * then compared as its pattern says.
 */
export class Matcher implements Seeker {
  readonly longest: number;
  readonly patterns: readonly Pattern[];
  private readonly window: number;
  private readonly shifts = new Uint8Array(1 << TABLE_BITS);
  private readonly candidates = new Map<number, Pattern[]>();

  /** `patterns`: at least three octets each. */
  constructor(patterns: readonly Pattern[]) {
    this.patterns = patterns;
    if (this.patterns.length === 0) throw new Error('A scan needs at least one needle.');
    this.longest = Math.max(...this.patterns.map(({ octets }) => octets.length));
    this.window = Math.min(255, ...this.patterns.map(({ octets }) => octets.length));
    this.shifts.fill(this.window - BLOCK + 1);
    for (const pattern of this.patterns) this.enter(pattern);
  }

  /** Calls `found` for each match with its pattern and offset; a match may be part of another. */
  search(octets: Buffer, found: (pattern: Pattern, offset: number) => void): void {
    const { shifts, window } = this;
    const end = octets.length;
    let last = window - 1;
    while (last < end) {
      const slot = slotOf(octets[last - 2]!, octets[last - 1]!, octets[last]!);
      const shift = shifts[slot]!;
      if (shift > 0) {
        last += shift;
        continue;
      }
      const start = last - window + 1;
      for (const pattern of this.candidates.get(slot)!) if (matches(octets, start, pattern)) found(pattern, start);
      last += 1;
    }
  }

  private enter(pattern: Pattern): void {
    for (let last = BLOCK - 1; last < this.window; last += 1) {
      const slot = slotOf(pattern.octets[last - 2]!, pattern.octets[last - 1]!, pattern.octets[last]!);
      this.shifts[slot] = Math.min(this.shifts[slot]!, this.window - 1 - last);
      if (last < this.window - 1) continue;
      const others = this.candidates.get(slot);
      if (others) others.push(pattern);
      else this.candidates.set(slot, [pattern]);
    }
  }
}

/** In every encoding and plain hash. Throws if a needle is too short to be told from chance, or too long to be a mark. */
export const patternsOf = (needles: readonly Needle[]): Pattern[] => needles.flatMap(patternsOfOne);

function patternsOfOne(needle: Needle): Pattern[] {
  const length = Buffer.byteLength(needle.value);
  if (length < SHORTEST || length > LONGEST) {
    throw new Error(`Needle ${needle.name} has ${length} octets; it must have ${SHORTEST} to ${LONGEST}.`);
  }
  const encoded = [...encodingsOf(needle.value), ...hashesOf([needle.value, ...(needle.hashed ?? [])])];
  return encoded.map((one) => ({ ...one, needle: needle.name }));
}

function matches(octets: Buffer, start: number, { octets: wanted, anyCase }: Pattern): boolean {
  if (start + wanted.length > octets.length) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    const [have, want] = [octets[start + index]!, wanted[index]!];
    if (have !== want && !(anyCase && FOLD[have] === FOLD[want])) return false;
  }
  return true;
}

const [FIRST, SECOND, THIRD] = [0x9e3b, 0x1f7, 0x2b].map((factor) =>
  Int32Array.from(FOLD, (octet) => (octet * factor) & ((1 << TABLE_BITS) - 1)),
) as [Int32Array, Int32Array, Int32Array];

function slotOf(first: number, second: number, third: number): number {
  return FIRST[first]! ^ SECOND[second]! ^ THIRD[third]!;
}
