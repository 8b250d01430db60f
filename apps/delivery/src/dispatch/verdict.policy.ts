import { classifyReply, enhancedCode, maskAddresses } from '@lethe/mail';
import type { ExchangeResult, Refusal, RefusalCause } from '../exchange/exchange-result.ts';
import type { CertificateProof, TlsFault } from '../smtp/certificate-proof.ts';
import { noSession, type Answer, type Outcome } from './attempt.ts';

/** What people read where no server gave a reply. */
const SAID: Record<RefusalCause, string> = {
  'no-such-domain': 'The domain does not exist or takes no mail',
  'null-mx': 'The domain says that it takes no mail (RFC 7505)',
  'dns-unavailable': 'The exchangers of the domain could not be looked up',
  'no-address': 'The exchangers of the domain have no address',
  'not-loopback': 'Mail does not leave this machine (OUTBOUND_ALLOW)',
  'not-public': 'The exchangers of the domain are at addresses that are not public',
  'address-literal': 'The recipient is at an address in place of a domain: mail is sent to domains',
  'no-connection': 'No exchanger of the domain could be reached',
  'tls-unavailable': 'The exchanger offers no encryption, and ',
  'not-authenticated': 'The exchanger could not be authenticated: ',
  'dane-unavailable':
    'The TLSA records of the exchanger could not be looked up, and without them nothing is sent (RFC 7672)',
  'login-refused': 'The smart host does not take our credentials (OUTBOUND_ROUTE)',
  'sts-not-named': 'The MTA-STS policy of the domain does not name the exchanger (RFC 8461)',
  'connection-lost': 'The connection was lost before the exchanger replied',
};

/** Who asked for a secured session. */
const ASKED: Record<CertificateProof['policy'], string> = {
  tlsa: 'its TLSA records require it (RFC 7672)',
  sts: 'the MTA-STS policy of the domain requires it (RFC 8461)',
  own: 'the message, its domain or a route requires it',
};
const FAULTS: Record<TlsFault, string> = {
  'starttls-not-supported': '',
  'certificate-host-mismatch': 'its certificate is in another name, and ',
  'certificate-expired': 'its certificate has expired or is not valid yet, and ',
  'certificate-not-trusted': 'its certificate comes from an authority that is not trusted, and ',
  'validation-failure': 'its certificate does not prove what it has to, or TLS failed, and ',
};

const said = ({ why, tls }: Refusal): string => SAID[why] + (tls ? FAULTS[tls.fault] + ASKED[tls.policy] : '');

/** Turns what the exchangers came to into an outcome. `recipient` is only needed to mask it. */
export function verdict(result: ExchangeResult, recipient: string, sessionSeconds: number): Outcome {
  const { reply, refusal, ambiguous, tls, verified, host } = result;
  const session = { tls, verified, sessionSeconds, ...(host === undefined ? {} : { host }) };
  if (refusal) {
    const answer: Answer = { ...noSession(refusal.code, refusal.enhancedCode, said(refusal)), ...session };
    const reason = refusal.refused === 'permanent' ? 'bounce' : 'generic';
    const noSuchMailbox = refusal.why === 'no-such-domain' || refusal.why === 'null-mx';
    return { kind: 'failed', severity: refusal.refused, reason, answer, ambiguous, noSuchMailbox };
  }
  if (!reply) throw new TypeError('An exchange has neither reply nor refusal');
  const enhanced = enhancedCode(reply.text);
  const answer: Answer = {
    code: reply.code,
    ...(enhanced === undefined ? {} : { enhancedCode: enhanced }),
    text: maskAddresses(reply.text, { recipient }),
    ...session,
  };
  if (reply.code < 300) return { kind: 'delivered', answer };
  const { severity, reason, noSuchMailbox } = classifyReply(reply.code, enhanced, reply.text);
  return { kind: 'failed', severity, reason, answer, ambiguous: false, noSuchMailbox };
}
