import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Octets that look random, the same each time. */
export function noise(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0; made < length; made += 64) parts.push(createHash('sha512').update(`noise ${made}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

/** A record batch of Kafka (magic 2) around records that are already compressed as `codec` says. */
export function recordBatch(records: Buffer, codec: number): Buffer {
  const header = Buffer.alloc(61);
  header.writeInt32BE(records.length + 61 - 12, 8);
  header[16] = 2;
  header.writeInt16BE(codec, 21);
  header.writeInt32BE(1, 57);
  return Buffer.concat([header, records]);
}

/** A ZIP archive of one entry whose content is already compressed as `method` says. */
export function zip(name: string, content: Buffer, method: number, flags = 0): Buffer {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(flags, 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}
