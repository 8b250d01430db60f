/** Most of what only looks like a compressed value breaks off at once, and names any size. */
const SCRATCH = Buffer.alloc(64 * 1024);

/**
 * Opens what PostgreSQL compressed itself (src/common/pg_lzcompress.c): a control octet before each eight items says which
 * of them are octets and which point back at what was written before. As far as it goes: an old row may be overwritten in part.
 */
export function pglzInflated(compressed: Buffer, rawSize: number): { octets: Buffer; whole: boolean } {
  let room = SCRATCH;
  const makeRoom = (wanted: number): void => {
    if (wanted > room.length) room = Buffer.concat([room], Math.min(rawSize, Math.max(wanted, 2 * room.length)));
  };
  const opened = (whole: boolean) => ({ octets: Buffer.from(room.subarray(0, made)), whole });
  let [at, made] = [0, 0];
  while (at < compressed.length && made < rawSize) {
    const control = compressed[at++]!;
    makeRoom(Math.min(rawSize, made + 8 * LONGEST_COPY));
    for (let item = 0; item < 8 && at < compressed.length && made < rawSize; item += 1) {
      if (((control >> item) & 1) === 0) {
        room[made++] = compressed[at++]!;
        continue;
      }
      if (at + 2 > compressed.length) return opened(false);
      const [first, second] = [compressed[at]!, compressed[at + 1]!];
      const back = ((first & 0xf0) << 4) | second;
      let length = (first & 0x0f) + 3;
      at += 2;
      if (length === 18) length += compressed[at++] ?? 0;
      if (back === 0 || back > made) return opened(false);
      for (const end = Math.min(made + length, rawSize); made < end; made += 1) room[made] = room[made - back]!;
    }
  }
  return opened(made === rawSize && at === compressed.length);
}

const LONGEST_COPY = 18 + 255;

/** Three octets copy up to 273, after a control octet for eight of them. */
export const mostOf = (compressedLength: number): number => Math.ceil((compressedLength * 8 * LONGEST_COPY) / 25);
