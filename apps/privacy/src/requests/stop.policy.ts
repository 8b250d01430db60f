import { Injectable } from '@nestjs/common';
import { DOMAIN_SETTINGS, SUPPRESSION_ENTRIES, suppressionKey } from '@lethe/contracts';
import { InjectTable, LocalTable } from '@lethe/kafka';

/** Reasons by which somebody said themselves that they want no mail; a bounce is none. */
const SAID_STOP = new Set(['complaint', 'unsubscribe', 'do-not-contact']);

/** Who said stop, from the tables of suppression and accounts. */
@Injectable()
export class StopPolicy {
  constructor(
    @InjectTable(SUPPRESSION_ENTRIES) private readonly entries: LocalTable<typeof SUPPRESSION_ENTRIES>,
    @InjectTable(DOMAIN_SETTINGS) private readonly domains: LocalTable<typeof DOMAIN_SETTINGS>,
  ) {}

  /** Whether the answers below can be believed: an old table would miss who said stop a moment ago. */
  get fresh(): boolean {
    return this.entries.fresh && this.domains.fresh;
  }

  /** Whether any of them said stop, towards any domain of the account. */
  anyStopped(accountId: string, pseudonyms: readonly Buffer[]): boolean {
    const scopes = [accountId];
    for (const domain of this.domains.values()) if (domain.accountId === accountId) scopes.push(domain.domainId);
    return pseudonyms.some((pseudonym) =>
      scopes.some((scope) => this.reasons(pseudonym, scope).some((reason) => SAID_STOP.has(reason))),
    );
  }

  /** How many of them the account may not mail any more, whatever the domain. */
  countDoNotContact(accountId: string, pseudonyms: readonly Buffer[]): number {
    const names = new Map(pseudonyms.map((pseudonym) => [pseudonym.toString('base64url'), pseudonym]));
    return [...names.values()].filter((pseudonym) => this.reasons(pseudonym, accountId).includes('do-not-contact'))
      .length;
  }

  private reasons(pseudonym: Buffer, scope: string): readonly string[] {
    return this.entries.get(suppressionKey(pseudonym.toString('base64url'), scope))?.reasons ?? [];
  }
}
