import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyWrap, readKek } from './key-wrap.ts';

describe('AES key wrap', () => {
  it('is RFC 3394 (§4.6: 256 bits of key data with a 256-bit KEK)', () => {
    const keyWrap = new KeyWrap(Buffer.from('000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F', 'hex'));
    const secret = Buffer.from('00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F', 'hex');
    const wrapped = Buffer.from(
      '28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21',
      'hex',
    );
    expect(keyWrap.wrap(secret)).toEqual(wrapped);
    expect(keyWrap.unwrap(wrapped)).toEqual(secret);
  });

  it('refuses a changed secret and another key-encryption key', () => {
    const keyWrap = new KeyWrap(randomBytes(32));
    const { wrapped } = keyWrap.generate();
    const changed = Buffer.from(wrapped);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect(() => keyWrap.unwrap(changed)).toThrow('VAULT_KEK_FILE');
    expect(() => new KeyWrap(randomBytes(32)).unwrap(wrapped)).toThrow('VAULT_KEK_FILE');
    expect(() => new KeyWrap(randomBytes(31))).toThrow('32 bytes');
  });
});

describe('the key file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kek-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('holds 32 raw bytes or 64 hexadecimal digits', async () => {
    const key = randomBytes(32);
    const file = join(folder, 'key');
    for (const content of [key, key.toString('hex'), `${key.toString('hex')}\n`]) {
      await writeFile(file, content);
      expect(await readKek(file)).toEqual(key);
    }
    await writeFile(file, 'not a key');
    await expect(readKek(file)).rejects.toThrow('must hold 32 raw bytes or 64 hexadecimal digits');
    await expect(readKek(join(folder, 'none'))).rejects.toThrow('VAULT_KEK_FILE cannot be read (ENOENT)');
  });
});
