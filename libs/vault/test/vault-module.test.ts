import { CONFIG, HealthRegistry, StartupError } from '@lethe/service';
import { Test } from '@nestjs/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Vault, vaultConfig, VaultModule } from '../src/index.ts';
import { vaultWorld } from './support/vault-world.ts';
import type { VaultWorld } from './support/vault-world.ts';

let world: VaultWorld;
let folder: string;

beforeAll(async () => {
  world = await vaultWorld();
  folder = await mkdtemp(join(tmpdir(), 'vault-module-'));
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

class Surroundings {
  readonly purpose = 'what every service provides';
}

function serviceWith(kekFile: string) {
  const config = z.object(vaultConfig).parse({ VAULT_URL: world.urls.ingest, VAULT_KEK_FILE: kekFile });
  const shared = [{ provide: CONFIG, useValue: config }, HealthRegistry];
  const surroundings = { module: Surroundings, global: true, providers: shared, exports: [CONFIG, HealthRegistry] };
  return Test.createTestingModule({ imports: [surroundings, VaultModule] }).compile();
}

it('gives a service its vault, and tells readiness', async () => {
  const kekFile = join(folder, 'kek');
  await writeFile(kekFile, world.kek.toString('hex'), { mode: 0o600 });
  const service = await serviceWith(kekFile);
  await service.init();
  const health = service.get(HealthRegistry);
  health.markStarted();
  await vi.waitFor(() => expect(health.readiness()).toEqual({ ready: true, notReady: {} }), 3000);
  const account = await world.account();
  expect(await service.get(Vault).subjectsFor(account, ['someone@example.com'])).toHaveLength(1);
  await service.close();
  expect(health.readiness().notReady).toEqual({ vault: 'not-connected' });
});

it('says plainly that the key file is missing', async () => {
  await expect(serviceWith(join(folder, 'none'))).rejects.toThrow(
    new StartupError('VAULT_KEK_FILE cannot be read (ENOENT)'),
  );
});

it('says plainly that the key file is another vault’s', async () => {
  const account = await world.account();
  const other = await world.vault('ingest', { kek: Buffer.alloc(32, 1) });
  await expect(other.subjectsFor(account, ['someone@example.com'])).rejects.toThrow('VAULT_KEK_FILE must name the one');
});
