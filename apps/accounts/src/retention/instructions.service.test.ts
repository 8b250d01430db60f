import type { Database } from '@lethe/database';
import { describe, expect, it } from 'vitest';
import type { SettingsPublisher } from '../settings/settings.publisher.ts';
import { InstructionsService } from './instructions.service.ts';

type Parts = ConstructorParameters<typeof InstructionsService>;

describe('instructions whose time has come', () => {
  it('end for every account, also where one before it cannot be changed now', async () => {
    const due = ['one', 'broken', 'two', 'one'].map((accountId) => ({ accountId }));
    const changed: string[] = [];
    const settings = {
      change: async (accountId: string) => {
        if (accountId === 'broken') throw new Error('not now');
        changed.push(accountId);
      },
    };
    const [vault, accounts, retention] = [{}, {}, {}] as [Parts[1], Parts[2], Parts[3]];
    const service = new InstructionsService(
      { dataSource: { manager: { find: async () => due } } } as unknown as Database,
      vault,
      accounts,
      retention,
      settings as unknown as SettingsPublisher,
      { now: () => 0 },
    );
    await expect(service.turn()).rejects.toThrow('not now');
    expect(changed).toEqual(['one', 'two']);
  });
});
