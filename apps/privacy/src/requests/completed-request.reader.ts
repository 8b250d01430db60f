import { Database } from '@lethe/database';
import type { HolderService } from '@lethe/contracts';
import { Injectable } from '@nestjs/common';
import { LedgerRepository } from '../ledger/ledger.repository.ts';
import type { CompletedRequest, Counts, HolderResult, Kept } from './completed-request.ts';
import { tally } from './holders/tally.ts';
import type { OpenRequest } from './request.ts';

interface SubjectRow {
  subject: number;
  identifier: number;
  digest: Buffer;
}

interface ResultRow {
  service: HolderService;
  /** Null: of before there were surveys. */
  surveyed: Counts | null;
  found: Counts;
  removed: Counts;
  residual: Counts;
  acknowledged_at: Date;
  verified_at: Date;
  expunged_at: Date | null;
}

/** Gathers what a certificate says of a request all of whose holders have answered. */
@Injectable()
export class CompletedRequestReader {
  constructor(
    private readonly database: Database,
    private readonly ledger: LedgerRepository,
  ) {}

  /** `blocked`: people the account may not mail any more. */
  async read(request: OpenRequest, blocked: number, completedAt: Date): Promise<CompletedRequest> {
    const { id, accountId, cutOff, unreadableAt, expungedAt, receivedAt } = request;
    if (!cutOff || !unreadableAt || !expungedAt)
      throw new Error('Only a request whose keys are destroyed can be completed');
    const closes = request.type === 'account-erasure';
    const [identifiers, holders, kept] = await Promise.all([this.identifiers(id), this.results(id), this.kept(id)]);
    const keysDestroyed = closes ? await this.keysOfAccount(id, holders) : await this.ledger.destroyed(id);
    const ofSubject = Map.groupBy(identifiers, ({ subject }) => subject);
    const text = ({ digest }: SubjectRow): string => digest.toString('base64url');
    const expunged = [expungedAt, ...holders.flatMap((holder) => holder.expungedAt ?? [])];
    return {
      id,
      accountId,
      type: request.type,
      scope: closes
        ? { of: 'account' }
        : { of: 'subjects', doNotContact: request.doNotContact, identifiers: identifiers.length },
      cutOff,
      subjects: {
        count: closes ? keysDestroyed.subjects : ofSubject.size,
        digests: [...ofSubject.values()].flatMap((own) => own.slice(0, 1).map(text)),
        aliasDigests: [...ofSubject.values()].map((own) => own.slice(1).map(text)),
      },
      holders,
      keysDestroyed,
      unreadableAt,
      expungedAt: new Date(Math.max(...expunged.map((at) => at.getTime()))),
      kept:
        blocked === 0
          ? kept
          : [...kept, { what: 'do-not-contact', count: blocked, why: 'do-not-contact', until: null }],
      receivedAt,
      completedAt,
    };
  }

  private async identifiers(id: string): Promise<SubjectRow[]> {
    const { rows } = await this.database.pool.query<SubjectRow>(
      'select subject, identifier, digest from request_subject where request_id = $1 order by subject, identifier',
      [id],
    );
    return rows;
  }

  private async results(id: string): Promise<HolderResult[]> {
    const { rows } = await this.database.pool.query<ResultRow>(
      `select e.service, s.found as surveyed, e.found, e.removed, v.residual, e.acknowledged_at,
         v.acknowledged_at as verified_at, e.expunged_at
       from holder_answer e join holder_answer v on v.request_id = e.request_id and v.service = e.service and v.step = 'verify'
         left join holder_answer s on s.request_id = e.request_id and s.service = e.service and s.step = 'survey'
       where e.request_id = $1 and e.step = 'erase' order by e.service`,
      [id],
    );
    return rows.map((row) => ({
      service: row.service,
      ...tally(row.surveyed ?? {}, row, row.residual),
      residual: row.residual,
      acknowledgedAt: row.acknowledged_at,
      verifiedAt: row.verified_at,
      expungedAt: row.expunged_at,
    }));
  }

  /** The ledger names the account alone: how many keys that was, was counted on the way. */
  private async keysOfAccount(id: string, holders: readonly HolderResult[]) {
    const { rows } = await this.database.pool.query<{ content_keys: number }>(
      'select content_keys from request where id = $1',
      [id],
    );
    const own = holders.find(({ service }) => service === 'privacy');
    return { subjects: own?.removed['key'] ?? 0, contentKeys: rows[0]?.content_keys ?? 0 };
  }

  private async kept(id: string): Promise<Kept[]> {
    const { rows } = await this.database.pool.query<{ kept: (Omit<Kept, 'until'> & { until: string | null })[] }>(
      'select kept from request where id = $1',
      [id],
    );
    return (rows[0]?.kept ?? []).map((kept) => ({ ...kept, until: kept.until === null ? null : new Date(kept.until) }));
  }
}
