import { Injectable } from '@nestjs/common';
import { Clock, IdentitySigner } from '@lethe/service';
import type { Claims } from '@lethe/service';
import { BoundedMap } from '../limits/bounded-map.ts';
import { ServiceLinks } from '../proxy/service-links.ts';

const PATH = '/v1/sessions/current';
const TIMEOUT_MS = 5_000;
/** Between two attempts for one session: the first may have come too late for this table to know of it. */
const AGAIN_MS = 10_000;
const CAPACITY = 10_000;

/** Tells accounts, beside the request, that a session is in use, so that it lives on. Not told, it ends early, never late. */
@Injectable()
export class SessionUse {
  private readonly told = new BoundedMap<string, number>(CAPACITY);

  constructor(
    private readonly signer: IdentitySigner,
    private readonly links: ServiceLinks,
    private readonly clock: Clock,
  ) {}

  note(claims: Claims): void {
    const now = this.clock.now();
    if ((this.told.get(claims.keyId) ?? 0) > now - AGAIN_MS) return;
    this.told.set(claims.keyId, now);
    void this.tell(claims);
  }

  private async tell(claims: Claims): Promise<void> {
    const token = await this.signer.sign('accounts', claims);
    await this.links.to('accounts').tell('PUT', PATH, { authorization: `Bearer ${token}` }, TIMEOUT_MS);
  }
}
