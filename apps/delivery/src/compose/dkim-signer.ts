import { createPrivateKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DkimKey, DomainSettings } from '@lethe/contracts';
import { dkimSign } from '@lethe/mail';
import { Clock } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { SharedCache } from './shared-cache.ts';

/** Keys are few and reading one takes as long as a signature; but one whose account is closed must not stay. */
const KEPT_KEYS = 1_000;
const KEEP_MS = 60_000;

/** Signs for a domain with the keys its settings hold: RSA (RFC 6376), and Ed25519 beside it (RFC 8463 §3), or none. */
@Injectable()
export class DkimSigner {
  private readonly keys = new SharedCache<KeyObject>(KEPT_KEYS, KEEP_MS, () => 1);

  constructor(
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  /** `bodyHash` was computed over the whole body when it was accepted; only the header is read here. */
  sign(header: Buffer, bodyHash: string, domain: DomainSettings): Promise<Buffer[]> {
    const keys = [domain.dkim, domain.dkimEd25519].flatMap((key) => key ?? []);
    return Promise.all(keys.map((key) => this.one(header, bodyHash, domain, key)));
  }

  private async one(
    header: Buffer,
    bodyHash: string,
    { domainId, accountId, name: domain }: DomainSettings,
    { selector, privateKey: sealed }: NonNullable<DomainSettings['dkim']>,
  ): Promise<Buffer> {
    const privateKey = await this.keys.get(sealed, async () => {
      const expected = { account: accountId, type: 'dkim-key', recordId: domainId };
      const { privateKey } = await this.vault.openForAccount<DkimKey>(sealed, expected);
      return createPrivateKey(privateKey);
    });
    const time = Math.floor(this.clock.now() / 1_000);
    return Buffer.from(await dkimSign({ header, bodyHash, domain, selector, privateKey, time }), 'latin1');
  }
}
