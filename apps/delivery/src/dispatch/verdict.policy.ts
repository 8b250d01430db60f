import { classifyReply, enhancedCode, maskAddresses } from '@lethe/mail';
import type { ExchangeResult, RefusalCause } from '../exchange/exchange-result.ts';
import { noSession, type Answer, type Outcome } from './attempt.ts';

/** What people read where no server gave a reply. */
const SAID: Record<RefusalCause, string> = {
  'no-such-domain': 'The domain does not exist or takes no mail',
  'null-mx': 'The domain says that it takes no mail (RFC 7505)',
  'dns-unavailable': 'The exchangers of the domain could not be looked up',
  'no-address': 'The exchangers of the domain have no address',
  'not-loopback': 'Mail does not leave this machine (OUTBOUND_ALLOW)',
  'no-connection': 'No exchanger of the domain could be reached',
  'tls-unavailable': 'The exchanger offers no encryption, and the message requires it',
  'connection-lost': 'The connection was lost before the exchanger replied',
};

/** Turns what the exchangers came to into an outcome. `recipient` is only needed to mask it. */
export function verdict(result: ExchangeResult, recipient: string, sessionSeconds: number): Outcome {
  const { reply, refusal, ambiguous, tls, host } = result;
  const session = { tls, sessionSeconds, ...(host === undefined ? {} : { host }) };
  if (refusal) {
    const answer: Answer = { ...noSession(refusal.code, refusal.enhancedCode, SAID[refusal.why]), ...session };
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
