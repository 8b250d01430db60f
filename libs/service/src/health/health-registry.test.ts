import { expect, it } from 'vitest';
import { HealthRegistry } from './health-registry.ts';

it('is ready when started and every check holds, and says what does not', () => {
  const health = new HealthRegistry();
  let connected = false;
  health.register({ name: 'kafka', check: () => (connected ? { ok: true } : { ok: false, detail: 'away' }) });
  expect(health.readiness()).toEqual({ ready: false, notReady: { process: 'starting', kafka: 'away' } });
  connected = true;
  health.markStarted();
  expect(health.readiness()).toEqual({ ready: true, notReady: {} });
  health.markStopping();
  expect(health.readiness()).toEqual({ ready: false, notReady: { process: 'stopping' } });
});

it('takes a check that throws as not ready, without its text', () => {
  const health = new HealthRegistry();
  health.markStarted();
  const unregister = health.register({
    name: 'vault',
    check: () => {
      throw new Error('jane@example.org');
    },
  });
  expect(health.readiness().notReady).toEqual({ vault: 'check-failed' });
  unregister();
  expect(health.readiness().ready).toBe(true);
});

it('refuses a second check of the same name', () => {
  const health = new HealthRegistry();
  health.register({ name: 'kafka', check: () => ({ ok: true }) });
  expect(() => health.register({ name: 'kafka', check: () => ({ ok: true }) })).toThrow('kafka');
});
