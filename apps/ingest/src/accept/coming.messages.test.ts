import { describe, expect, it, vi } from 'vitest';
import { ComingMessages } from './coming.messages.ts';

describe('messages that are coming', () => {
  it('are waited for until they are there', () => {
    const coming = new ComingMessages();
    expect(coming.any()).toBe(false);
    const [first, second] = [coming.expect(), coming.expect()];
    first();
    first();
    expect(coming.any()).toBe(true);
    second();
    expect(coming.any()).toBe(false);
  });

  it('are not waited for when they take long, and those after them are', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const coming = new ComingMessages();
      coming.expect();
      vi.advanceTimersByTime(60);
      const later = coming.expect();
      vi.advanceTimersByTime(60);
      expect(coming.any()).toBe(true);
      later();
      expect(coming.any()).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
