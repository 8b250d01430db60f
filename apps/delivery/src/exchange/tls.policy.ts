import { daneProof } from '../dane/dane.proof.ts';
import type { Dane } from '../dane/dane.resolver.ts';
import { pkixProof, type CertificateProof } from '../smtp/certificate-proof.ts';
import type { SmtpTarget } from '../smtp/smtp-options.ts';
import { names, type StsPolicy } from '../sts/sts.policy.ts';
import type { Refusal } from './exchange-result.ts';
import type { StaticRoute } from './static.routes.ts';

/** What whoever sends the message asks for (`o:require-tls`, `o:skip-verification`, or their domain's settings). */
export interface SenderDemand {
  requireTls: boolean;
  /** Of what they require: that it need not be authenticated. It never takes back what the recipient's domain asks for. */
  skipVerification: boolean;
}

/** What the recipient's side, or the operator's route, asks of a session with one exchanger. */
export type HostDemand =
  | { kind: 'none' }
  /** Nothing is asked for, but whether it would hold is counted: MTA-STS in testing mode. */
  | { kind: 'watched'; named: boolean }
  | { kind: 'clear' }
  | { kind: 'encrypted' }
  | { kind: 'proved'; proof: CertificateProof }
  /** Not a word is said to this one. */
  | { kind: 'closed'; refusal: Refusal };

const NO_TLSA: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.5', why: 'dane-unavailable' };
const NOT_NAMED: Refusal = { refused: 'temporary', code: 498, enhancedCode: '4.7.5', why: 'sts-not-named' };

/**
 * DANE before MTA-STS (RFC 8461 §2): where TLSA records can be used nothing else counts, and a policy never replaces them where they
 * fail or cannot be asked for.
 */
export function hostDemand(
  domain: string,
  host: string,
  dane: Dane,
  sts: Pick<StsPolicy, 'mode' | 'mx'> | undefined,
): HostDemand {
  if (dane.kind === 'failed') return { kind: 'closed', refusal: NO_TLSA };
  if (dane.kind === 'usable') return { kind: 'proved', proof: daneProof(dane.records, dane.base, domain) };
  if (sts?.mode === 'enforce') {
    return names(sts, host)
      ? { kind: 'proved', proof: pkixProof(host, 'sts') }
      : { kind: 'closed', refusal: NOT_NAMED };
  }
  if (dane.kind === 'unusable') return { kind: 'encrypted' };
  return sts?.mode === 'testing' ? { kind: 'watched', named: names(sts, host) } : { kind: 'none' };
}

/** What the operator's route adds to what the recipient's side asks for: it never takes anything of that away. */
export function routeDemand(host: string, tls: StaticRoute['tls'] = 'opportunistic', theirs: HostDemand): HostDemand {
  if (theirs.kind === 'proved' || theirs.kind === 'closed') return theirs;
  if (tls === 'verified') return { kind: 'proved', proof: pkixProof(host, 'own') };
  return tls === 'none' && theirs.kind !== 'encrypted' ? { kind: 'clear' } : theirs;
}

/** The stricter of both sides; `host` is the exchanger's name. */
export function sessionDemand(
  host: string,
  recipient: Exclude<HostDemand, { kind: 'closed' }>,
  { requireTls, skipVerification }: SenderDemand,
): Pick<SmtpTarget, 'tls' | 'proof'> {
  if (recipient.kind === 'proved') return { tls: 'required', proof: recipient.proof };
  if (requireTls && !skipVerification) return { tls: 'required', proof: pkixProof(host, 'own') };
  if (requireTls || recipient.kind === 'encrypted') return { tls: 'required' };
  return { tls: recipient.kind === 'clear' ? 'never' : 'opportunistic' };
}
