import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StartupError } from '../errors/startup-error.ts';
import { defineConfig } from './define-config.ts';
import { describeConfig } from './describe-config.ts';
import { loadConfig } from './load-config.ts';

const schema = defineConfig({
  RETRY_MS: z.coerce.number().int().min(1).default(5).describe('Time between attempts, in ms'),
  TOKEN: z.string().length(4).meta({ description: 'Shared secret', secret: true }),
  NOTE: z.string().describe('A note').optional(),
});

describe('loadConfig', () => {
  it('reads, converts and fills in, typed', () => {
    const config = loadConfig(schema, { PORT: '8080', TOKEN: 'abcd', RETRY_MS: '' });
    const retry: number = config.RETRY_MS;
    expect([retry, config.PORT, config.HOST, config.NOTE]).toEqual([5, 8080, '127.0.0.1', undefined]);
  });

  it('names everything wrong or missing at once, with what it is, and shows no value', () => {
    let message = '';
    try {
      loadConfig(schema, { TOKEN: 'hunter2-secret', RETRY_MS: 'soon-secret', LOG_LEVEL: 'loud-secret' });
    } catch (error) {
      expect(error).toBeInstanceOf(StartupError);
      message = (error as Error).message;
    }
    expect(message).toContain('PORT: missing\n    (TCP port of the HTTP server');
    expect(message).toContain('TOKEN: ');
    expect(message).toContain('(Shared secret)');
    expect(message).toContain('RETRY_MS: ');
    expect(message).toContain('LOG_LEVEL: ');
    expect(message).not.toContain('secret)\n    secret');
    expect(message.replace('Shared secret', '')).not.toContain('secret');
    expect(message).not.toContain('HOST');
  });
});

describe('defineConfig', () => {
  it('refuses variables nobody described, by name', () => {
    expect(() => defineConfig({ ALPHA: z.string(), BETA: z.string().default('x') })).toThrow(/ALPHA, BETA/);
  });

  it('finds a description under wrappers', () => {
    expect(() => defineConfig({ ALPHA: z.string().describe('A').optional() })).not.toThrow();
  });
});

it('describes each variable in a table', () => {
  const table = describeConfig(schema);
  expect(table).toContain('| `RETRY_MS` | Time between attempts, in ms | `5` |');
  expect(table).toContain('| `TOKEN` | Shared secret | required |');
  expect(table).toContain('| `NOTE` | A note | none |');
  expect(table).toContain('| `HOST` | Address the HTTP server binds | `127.0.0.1` |');
});
