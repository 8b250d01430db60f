import { metrics } from '@lethe/service';
import { PROVIDERS, providerOf } from '../shaping/providers.ts';
import { TLS_FAULTS } from '../smtp/certificate-proof.ts';
import { STS_FAULTS } from '../sts/sts.fetcher.ts';

/** What a report by RFC 8460 would count, by its words: policy types (§4.2) and result types (§4.3). */
const RESULTS = ['success', ...TLS_FAULTS, 'tlsa-invalid', 'dnssec-invalid', ...STS_FAULTS] as const;
const POLICIES = ['tlsa', 'sts', 'no-policy-found'] as const;

const sessions = metrics.counter('lethe.delivery.tls', { policy: POLICIES, result: RESULTS, provider: PROVIDERS });

/** A session that was or was not secured, or a policy that could not be had. `host`: the exchanger, if there is one. */
export function countTls(policy: (typeof POLICIES)[number], result: (typeof RESULTS)[number], host?: string): void {
  sessions.add(1, { policy, result, provider: providerOf(host) });
}
