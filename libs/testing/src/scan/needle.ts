/** Something that must not be found: an address, a subject line, a piece of a body. */
export interface Needle {
  /** How findings call it; the value itself is never in a report. */
  readonly name: string;
  /** 8 to 200 octets of UTF-8, unlike anything else; of a longer text a distinctive piece. */
  readonly value: string;
  /** Other texts whose plain hash would betray it: a whole body, an address's normal form (lower case is always tried). */
  readonly hashed?: readonly string[];
}

/** Where one needle was found. */
export interface Finding {
  readonly needle: string;
  /** How it was written: `raw`, `base64`, `sha256 hex`, … */
  readonly variant: string;
  /** A file, or `database/schema.table` for rows. */
  readonly file: string;
  /** In octets, within what the layers show. */
  readonly offset: number;
  /** What had to be opened, from the outside in; empty for the file's own octets. */
  readonly layer: string;
}

export interface ScanReport {
  readonly findings: Finding[];
  /** What could not be looked into: a scan with any of these proves nothing about it. */
  readonly unopened: Unopened[];
  readonly files: number;
  /** Octets looked at, opened layers included. */
  readonly octets: number;
}

export interface Unopened {
  readonly file: string;
  readonly layer: string;
  readonly reason: string;
}
