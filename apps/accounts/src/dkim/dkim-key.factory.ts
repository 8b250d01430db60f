import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DkimKey } from '@lethe/contracts';
import { ApiError, Semaphore } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { Domain } from '../domains/domain.entity.ts';
import type { DkimKeyRow } from './dkim-key.entity.ts';
import { importedKeyPair, newDkimKeyPair, type Algorithm } from './dkim-key-pair.ts';

/** Making a key holds a worker thread. */
const MADE_AT_ONCE = 2;
const MADE_WAITING = 32;

/** A key nothing is signed with yet. */
export type NewDkimKey = Pick<
  DkimKeyRow,
  'id' | 'accountId' | 'domainId' | 'selector' | 'algorithm' | 'publicKey' | 'privateKey'
>;

/** Makes DKIM keys. A private part leaves this file only sealed for the account. */
@Injectable()
export class DkimKeyFactory {
  private readonly making = new Semaphore(MADE_AT_ONCE, MADE_WAITING);

  constructor(private readonly vault: Vault) {}

  /** With the customer's own key where there is a `pem`. Throws ApiError 400 if that is none to sign mail with. */
  async make(
    { id: domainId, accountId }: Pick<Domain, 'id' | 'accountId'>,
    selector: string,
    { algorithm = 'rsa', pem }: { algorithm?: Algorithm | undefined; pem?: string | undefined } = {},
  ): Promise<NewDkimKey> {
    const pair = pem === undefined ? await this.making.run(() => newDkimKeyPair(algorithm)) : importedKeyPair(pem);
    if (!pair) {
      throw new ApiError(400, 'pem: must be a private key without a password, RSA of 2048 to 4096 bits or Ed25519', {
        field: 'pem',
      });
    }
    const part: DkimKey = { privateKey: pair.privateKey };
    const seal = { account: accountId, period: 'standing', type: 'dkim-key', recordId: domainId } as const;
    const privateKey = await this.vault.sealForAccount(seal, part);
    return {
      id: randomUUIDv7(),
      accountId,
      domainId,
      selector,
      algorithm: pair.algorithm,
      publicKey: pair.publicKey,
      privateKey,
    };
  }
}
