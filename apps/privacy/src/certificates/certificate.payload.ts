import { HOLDERS } from '@lethe/contracts';
import type { CompletedRequest } from '../requests/completed-request.ts';
import { storeEvidence, type StoreEvidence } from './evidence.ts';
import { NOT_COVERED } from './not-covered.ts';

/** What a certificate says (privacy-api). It names nobody: digests are salted, and only the requester has the salts. */
export interface CertificatePayload {
  /** Origin of the platform. */
  readonly iss: string;
  /** Account id: whom it is for. */
  readonly aud: string;
  /** Epoch seconds. */
  readonly iat: number;
  /** Request id. */
  readonly jti: string;
  readonly account: string;
  readonly type: CompletedRequest['type'];
  readonly scope:
    | { readonly of: 'subjects'; readonly identifiers: number; readonly do_not_contact: string }
    | { readonly of: 'account' };
  readonly received_at: string;
  readonly cut_off: string;
  readonly completed_at: string;
  readonly subjects: {
    readonly count: number;
    /** Per subject, in the order of the request: SHA-256(salt ‖ normal form of its address), base64url. */
    readonly digests: readonly string[];
    /** The same of each subject's aliases, under the subject's salt. */
    readonly alias_digests: readonly (readonly string[])[];
  };
  readonly stores: readonly StoreEvidence[];
  readonly keys_destroyed: { readonly accounts?: number; readonly subjects: number; readonly content_keys: number };
  readonly unreadable_at: string;
  readonly expunged_at: string;
  readonly kept: readonly {
    readonly what: string;
    readonly count: number;
    readonly why: string;
    readonly until: string | null;
  }[];
  readonly not_covered: readonly string[];
  readonly software: { readonly name: string; readonly version: string };
}

export interface Issuer {
  readonly origin: string;
  readonly software: { readonly name: string; readonly version: string };
}

/** @param now epoch ms. Throws where a holder still has something, or counts what nobody can explain. */
export function certificatePayload(request: CompletedRequest, issuer: Issuer, now: number): CertificatePayload {
  const silent = HOLDERS.find((service) => !request.holders.some((one) => one.service === service));
  if (silent !== undefined) throw new Error(`${silent} has not answered: nothing to certify yet`);
  const stores = storeEvidence(request);
  const left = stores.find(({ residual }) => (residual ?? 0) > 0);
  if (left !== undefined)
    throw new Error(`${left.service} still has something of the subjects: nothing to certify yet`);
  const { digests, aliasDigests, count } = request.subjects;
  return {
    iss: issuer.origin,
    aud: request.accountId,
    iat: Math.floor(now / 1_000),
    jti: request.id,
    account: request.accountId,
    type: request.type,
    scope: scopeOf(request.scope),
    received_at: request.receivedAt.toISOString(),
    cut_off: request.cutOff.toISOString(),
    completed_at: request.completedAt.toISOString(),
    subjects: { count, digests, alias_digests: aliasDigests },
    stores,
    keys_destroyed: {
      ...(request.scope.of === 'account' ? { accounts: 1 } : {}),
      subjects: request.keysDestroyed.subjects,
      content_keys: request.keysDestroyed.contentKeys,
    },
    unreadable_at: request.unreadableAt.toISOString(),
    expunged_at: request.expungedAt.toISOString(),
    kept: request.kept.map(({ what, count: number, why, until }) => ({
      what,
      count: number,
      why,
      until: until?.toISOString() ?? null,
    })),
    not_covered: NOT_COVERED,
    software: issuer.software,
  };
}

const scopeOf = (scope: CompletedRequest['scope']): CertificatePayload['scope'] =>
  scope.of === 'account'
    ? { of: 'account' }
    : { of: 'subjects', identifiers: scope.identifiers, do_not_contact: scope.doNotContact };
