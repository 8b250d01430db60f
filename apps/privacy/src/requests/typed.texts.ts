import { Injectable } from '@nestjs/common';
import type { RequestText } from '@lethe/contracts';
import { Vault } from '@lethe/vault';

export type TypedField = 'reference' | 'override_reason';

/** What controllers type beside a request, and can well be an address: sealed under the account's key. */
@Injectable()
export class TypedTexts {
  constructor(private readonly vault: Vault) {}

  async seal(account: string, requestId: string, field: TypedField, text: string | undefined): Promise<string | null> {
    if (text === undefined) return null;
    const seal = { account, period: 'standing', type: 'request-text', recordId: `${requestId}/${field}` } as const;
    return this.vault.sealForAccount(seal, { text } satisfies RequestText);
  }

  async open(account: string, requestId: string, field: TypedField, sealed: string | null): Promise<string | null> {
    if (sealed === null) return null;
    const expected = { account, type: 'request-text', recordId: `${requestId}/${field}` };
    return (await this.vault.openForAccount<RequestText>(sealed, expected)).text;
  }

  /** By this a reference is found again. */
  async referenceHash(account: string, reference: string | undefined): Promise<Buffer | null> {
    return reference === undefined ? null : this.vault.keyedHash(account, 'reference', reference);
  }
}
