import { Injectable } from '@nestjs/common';
import type { UnsubscribeFooter } from '@lethe/contracts';
import { Database } from '@lethe/database';
import type { Identity } from '@lethe/service';
import { Vault } from '@lethe/vault';
import type { Domain } from '../domains/domain.entity.ts';
import { ownDomain } from '../domains/own-domain.ts';
import { SettingsPublisher } from '../settings/settings.publisher.ts';

/** What stands below mail that can be unsubscribed from, where the customer chose nothing. */
const FOOTER = {
  html: '<p><a href="%unsubscribe_url%">Unsubscribe</a></p>',
  text: 'To unsubscribe, open <%unsubscribe_url%>',
} as const satisfies UnsubscribeFooter;

export interface Tracking {
  domain: Domain;
  footer: { html: string; text: string };
}

export type TrackingChoice = Partial<
  Pick<Domain, 'openTracking' | 'openTrackingTop' | 'clickTracking' | 'unsubscribeTracking'>
>;

/**
 * Keeps what a domain wants to know about its recipients. Of it, mail has the header to unsubscribe by (delivery); links, pixels and
 * footers are put into it when tracking comes. All of it is off until a customer, who is the controller, turns it on (Art. 25(2) GDPR).
 */
@Injectable()
export class TrackingService {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly settings: SettingsPublisher,
  ) {}

  /** Throws ApiError 404, also for the domain of another account. */
  async get(caller: Identity, name: string): Promise<Tracking> {
    const domain = await ownDomain(this.database.dataSource.manager, caller, name);
    return { domain, footer: shown(await this.footerOf(domain)) };
  }

  /** What is not in `choice` and `footer` stays as it is. Throws ApiError 404. */
  update(
    caller: Identity,
    name: string,
    choice: TrackingChoice,
    footer: Partial<UnsubscribeFooter> = {},
  ): Promise<Tracking> {
    return this.settings.change(caller.account, async (manager, records) => {
      const domain = Object.assign(await ownDomain(manager, caller, name), choice);
      const whole = { ...(await this.footerOf(domain)), ...footer };
      if (Object.keys(footer).length > 0) domain.unsubscribeFooter = await this.sealed(domain, whole);
      await manager.save(domain);
      records.push(...(await this.settings.domain(manager, domain)));
      return { domain, footer: shown(whole) };
    });
  }

  private async footerOf({ id, accountId, unsubscribeFooter }: Domain): Promise<UnsubscribeFooter> {
    if (unsubscribeFooter === null) return {};
    const expected = { account: accountId, type: 'unsubscribe-footer', recordId: id };
    return this.vault.openForAccount<UnsubscribeFooter>(unsubscribeFooter, expected);
  }

  private sealed({ id, accountId }: Domain, footer: UnsubscribeFooter): Promise<string> {
    const seal = { account: accountId, period: 'standing', type: 'unsubscribe-footer', recordId: id } as const;
    return this.vault.sealForAccount(seal, footer);
  }
}

const shown = ({ html, text }: UnsubscribeFooter): Tracking['footer'] => ({
  html: html ?? FOOTER.html,
  text: text ?? FOOTER.text,
});
