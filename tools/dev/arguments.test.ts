import { expect, it } from 'vitest';
import { readArguments } from './arguments.ts';

it('tells by its name whom a setting is for', () => {
  const args = ['--with', 'OUTBOUND_ROUTE=smtp://127.0.0.1:25', '--with=log.flush.interval.messages=1'];
  expect(readArguments([...args, '--with', 'vault.shared_buffers=64MB'])).toEqual({
    services: { OUTBOUND_ROUTE: 'smtp://127.0.0.1:25' },
    stores: {
      kafka: { 'log.flush.interval.messages': '1' },
      postgres: {},
      vault: { shared_buffers: '64MB' },
      elasticsearch: {},
    },
  });
});

it.each([[['--with']], [['--with', 'KEY']], [['--with=1=2']], [['KEY=VALUE']], [['--wit', 'A=B']]])(
  'answers %j with the usage',
  (args) => {
    expect(() => readArguments(args)).toThrow(`Not understood: ${args.join(' ').replace(' A=B', '')}`);
    expect(() => readArguments(args)).toThrow('Usage: npm start -- [--with KEY=VALUE]');
  },
);
