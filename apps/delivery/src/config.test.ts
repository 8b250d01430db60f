import { readFileSync } from 'node:fs';
import { describeConfig } from '@lethe/service';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ownConfig } from './config.ts';

const READ_ME = new URL('../README.md', import.meta.url);

describe('the README', () => {
  it('says what every variable of this service is, as the schema has it', () => {
    const text = readFileSync(READ_ME, 'utf8');
    for (const row of describeConfig(z.object(ownConfig)).split('\n')) expect(text).toContain(row);
  });
});
