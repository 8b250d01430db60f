import { setImmediate } from 'node:timers/promises';
import { joinedAround, lineBreaks, walPageHeaders } from './joined.ts';
import { inflated, startsOf, type Codec } from './inflate.ts';
import type { Finding, ScanReport, Unopened } from './needle.ts';

export type Chunks = AsyncIterable<Buffer> | Iterable<Buffer>;

/** Where a stream of octets comes from. */
export interface Source {
  readonly file: string;
  /** What was opened so far, from the outside in. */
  readonly layers: readonly string[];
  /** Reads it again from an offset: a compressed part may be longer than a chunk. */
  readonly from?: (offset: number) => Chunks;
  /** The pages of PostgreSQL's write-ahead log are interrupted by headers. */
  readonly wal?: boolean;
}

export interface ScanLimits {
  /** Findings kept; a scan that has so many has shown enough. */
  readonly maxFindings?: number;
  /** Octets one compressed part may grow to; more is reported as unopened. */
  readonly maxInflated?: number;
}

/** What is looked for, and how a finding calls it. */
export interface Sought {
  readonly needle: string;
  readonly variant: string;
  readonly octets: Buffer;
}

/** Looks for something in octets; the scan brings them, from whatever layer. */
export interface Seeker {
  /** Octets of the longest thing it finds: what consecutive chunks must share. */
  readonly longest: number;
  search(octets: Buffer, found: (sought: Sought, offset: number) => void): void;
}

const DEEPEST = 4;
const LONGEST_TURN_MS = 20;
/** Longest break that is left out of a text, with what surrounds it. */
const LONGEST_GAP = 128;

/** One search over any number of streams; memory is a few chunks, whatever their length. */
export class Scan {
  private readonly seeker: Seeker;
  private readonly maxFindings: number;
  private readonly maxInflated: number;
  private readonly findings = new Map<string, Finding>();
  private readonly unopened: Unopened[] = [];
  private files = 0;
  private octets = 0;
  private gaveWayAt = performance.now();

  constructor(seeker: Seeker, limits: ScanLimits = {}) {
    this.seeker = seeker;
    this.maxFindings = limits.maxFindings ?? 10_000;
    this.maxInflated = limits.maxInflated ?? 512 * 1024 * 1024;
  }

  report(): ScanReport {
    const { files, octets, unopened } = this;
    return { findings: [...this.findings.values()], unopened: [...unopened], files, octets };
  }

  countFile(): void {
    this.files += 1;
  }

  cannotOpen({ file, layers }: Source, reason: string): void {
    if (this.unopened.length < this.maxFindings) this.unopened.push({ file, layer: layers.join(' > '), reason });
  }

  /** Searches the octets and every compressed part in them. */
  async stream(chunks: Chunks, source: Source): Promise<void> {
    const reach = this.seeker.longest + LONGEST_GAP;
    let kept = Buffer.alloc(0);
    let position = 0;
    for await (const chunk of chunks) {
      this.octets += chunk.length;
      await this.giveWay();
      const block = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      if (!isZero(block)) {
        this.plain(block, position, kept.length, source);
        this.joined(block, position, source, reach);
        if (source.layers.length < DEEPEST) await this.compressed(block, position, kept.length, source);
      }
      const keep = Math.min(block.length, 2 * reach);
      position += block.length - keep;
      // A copy: a slice would keep the whole chunk alive.
      kept = Buffer.from(block.subarray(block.length - keep));
    }
  }

  /** Searches what a compressed part holds; one that `must` open is reported if it does not. */
  async open(codec: Codec, chunks: Chunks, source: Source, must: boolean): Promise<void> {
    let broken: string | undefined;
    const opened = inflated(codec, chunks, this.maxInflated, (reason) => (broken = reason));
    await this.stream(opened, source);
    // What looks like the beginning of a compressed part by chance breaks off at once, without being too large.
    if (broken !== undefined && (must || broken.startsWith('more than'))) this.cannotOpen(source, broken);
  }

  /** Files are read synchronously; what else this process serves (the SMTP world) goes on meanwhile. */
  private async giveWay(): Promise<void> {
    if (performance.now() - this.gaveWayAt < LONGEST_TURN_MS) return;
    await setImmediate();
    this.gaveWayAt = performance.now();
  }

  private plain(block: Buffer, position: number, known: number, source: Source): void {
    this.seeker.search(block, (sought, offset) => {
      if (offset + sought.octets.length > known) this.found(sought, position + offset, source, source.layers);
    });
  }

  private joined(block: Buffer, position: number, source: Source, reach: number): void {
    const kinds = lineBreaks(block);
    if (source.wal) kinds.push(['wal pages', walPageHeaders(block, position)]);
    for (const [layer, gaps] of kinds) {
      for (const text of joinedAround(block, gaps, reach)) {
        this.seeker.search(text.octets, (sought, offset) => {
          const [start, last] = [text.original(offset), text.original(offset + sought.octets.length - 1)];
          const interrupted = last - start >= sought.octets.length;
          if (interrupted) this.found(sought, position + start, source, [...source.layers, layer]);
        });
      }
    }
  }

  private async compressed(block: Buffer, position: number, known: number, source: Source): Promise<void> {
    for (const { codec, offset } of startsOf(block)) {
      // The last octets of a block are seen again at the beginning of the next.
      if (position > 0 && offset + 4 <= known) continue;
      const inner: Source = { file: source.file, layers: [...source.layers, codec] };
      const at = position + offset;
      await this.open(codec, source.from?.(at) ?? [block.subarray(offset)], inner, at === 0 && codec !== 'deflate');
    }
  }

  private found({ needle, variant }: Sought, offset: number, { file }: Source, layers: readonly string[]): void {
    const finding = { needle, variant, file, offset, layer: layers.join(' > ') };
    const key = JSON.stringify(finding);
    if (this.findings.size < this.maxFindings || this.findings.has(key)) this.findings.set(key, finding);
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

/** Preallocated files are mostly nothing. */
function isZero(octets: Buffer): boolean {
  for (let from = 0; from < octets.length; from += ZEROS.length) {
    const length = Math.min(ZEROS.length, octets.length - from);
    if (octets.compare(ZEROS, 0, length, from, from + length) !== 0) return false;
  }
  return true;
}
