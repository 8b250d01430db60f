/** What a sender needs: `core` most of them, `useful` many, `rare` few; `aside` is no part of sending mail. */
export type Tier = 'core' | 'useful' | 'rare' | 'aside';

export interface MailgunEndpoint {
  tier: Tier;
  /** `GET /v3/{domain}/events` */
  endpoint: string;
  /** Why it will not be there; nothing: it is there, or not yet. */
  never?: string;
  note?: string;
}

export interface MailgunGroup {
  title: string;
  endpoints: readonly MailgunEndpoint[];
}

type Details = Omit<MailgunEndpoint, 'tier' | 'endpoint'>;

/** One endpoint for each of the methods. */
const at = (tier: Tier, methods: string, path: string, details: Details = {}): MailgunEndpoint[] =>
  methods.split(' ').map((method) => ({ tier, endpoint: `${method} ${path}`, ...details }));

const suppressions = (list: string, importable = true): MailgunEndpoint[] => [
  ...at('core', 'GET POST DELETE', `/v3/{domain}/${list}`),
  ...at('core', 'GET DELETE', `/v3/{domain}/${list}/{address}`),
  ...(importable ? at('core', 'POST', `/v3/{domain}/${list}/import`) : []),
];

const POOLS = { never: 'an installation sends from the addresses of its own hosts' };
const WARM_UP = { never: 'addresses are not warmed up here' };
const BEHAVIOUR = { never: 'it profiles people by what they open' };

/**
 * Every endpoint of Mailgun's API that its documentation or its official SDKs know, as read in November 2026. Which of them are
 * served is not said here: that comes from the services themselves (compatibility.ts).
 */
export const MAILGUN: readonly MailgunGroup[] = [
  {
    title: 'Messages',
    endpoints: [
      ...at('core', 'POST', '/v3/{domain}/messages'),
      ...at('core', 'POST', '/v3/{domain}/messages.mime', { note: '`message` as a field or as a file' }),
      ...at('core', 'GET POST', '/v3/domains/{domain}/messages/{key}'),
      ...at('rare', 'DELETE', '/v3/domains/{domain}/messages/{key}'),
      ...at('core', 'GET', '/v3/domains/{domain}/messages/{key}/attachments/{index}'),
      ...at('useful', 'GET', '/v3/domains/{domain}/sending_queues'),
      ...at('useful', 'DELETE', '/v3/{domain}/envelopes'),
    ],
  },
  {
    title: 'Events and logs',
    endpoints: [
      ...at('core', 'GET', '/v3/{domain}/events'),
      ...at('core', 'GET', '/v3/{domain}/events/{token}'),
      ...at('useful', 'POST', '/v1/analytics/logs'),
    ],
  },
  {
    title: 'Metrics, statistics, tags',
    endpoints: [
      ...at('useful', 'POST', '/v1/analytics/metrics'),
      ...at('rare', 'POST', '/v1/analytics/usage/metrics'),
      ...at('useful', 'GET', '/v3/{domain}/stats/total'),
      ...at('useful', 'GET', '/v3/stats/total'),
      ...at('aside', 'GET', '/v3/stats/total/domains'),
      ...at('aside', 'GET', '/v3/stats/filter'),
      ...at('aside', 'GET', '/v3/{domain}/aggregates/{kind}', BEHAVIOUR),
      ...at('useful', 'GET', '/v3/{domain}/tags'),
      ...at('useful', 'GET PUT DELETE', '/v3/{domain}/tags/{tag}'),
      ...at('useful', 'GET PUT DELETE', '/v3/{domain}/tag'),
      ...at('useful', 'GET', '/v3/{domain}/tags/{tag}/stats'),
      ...at('useful', 'GET', '/v3/{domain}/tag/stats'),
      ...at('rare', 'GET', '/v3/{domain}/tags/{tag}/stats/aggregates/{kind}', BEHAVIOUR),
      ...at('rare', 'GET', '/v3/{domain}/tag/stats/aggregates', BEHAVIOUR),
      ...at('rare', 'GET', '/v3/domains/{domain}/limits/tag'),
      ...at('rare', 'POST PUT DELETE', '/v1/analytics/tags'),
      ...at('rare', 'GET', '/v1/analytics/tags/limits'),
    ],
  },
  {
    title: 'Suppressions',
    endpoints: [
      ...suppressions('bounces'),
      ...suppressions('complaints'),
      ...suppressions('unsubscribes'),
      ...suppressions('whitelists'),
    ],
  },
  {
    title: 'Domains',
    endpoints: [
      ...at('core', 'GET POST', '/v4/domains'),
      ...at('core', 'GET PUT', '/v4/domains/{name}'),
      ...at('core', 'PUT', '/v4/domains/{name}/verify'),
      ...at('core', 'DELETE', '/v3/domains/{name}'),
      ...at('core', 'GET', '/v3/domains/{name}/tracking'),
      ...at('core', 'PUT', '/v3/domains/{name}/tracking/open'),
      ...at('core', 'PUT', '/v3/domains/{name}/tracking/click'),
      ...at('core', 'PUT', '/v3/domains/{name}/tracking/unsubscribe'),
      ...at('useful', 'GET PUT', '/v3/domains/{name}/connection'),
      ...at('useful', 'GET POST DELETE', '/v3/domains/{name}/credentials'),
      ...at('useful', 'PUT DELETE', '/v3/domains/{name}/credentials/{login}'),
      ...at('useful', 'GET POST DELETE', '/v1/dkim/keys'),
      ...at('useful', 'GET', '/v4/domains/{name}/keys'),
      ...at('useful', 'PUT', '/v4/domains/{name}/keys/{selector}/activate'),
      ...at('useful', 'PUT', '/v4/domains/{name}/keys/{selector}/deactivate'),
      ...at('rare', 'PUT', '/v3/domains/{name}/dkim_authority', { note: 'every domain is its own authority' }),
      ...at('rare', 'PUT', '/v3/domains/{name}/dkim_selector'),
      ...at('rare', 'PUT', '/v3/domains/{name}/web_prefix'),
      ...at('rare', 'GET POST', '/v3/domains/{name}/ips', POOLS),
      ...at('rare', 'DELETE', '/v3/domains/{name}/ips/{ip}', POOLS),
      ...at('rare', 'GET POST PUT', '/v2/x509/{name}', {
        never: 'tracking hosts get their certificates from the ingress',
      }),
      ...at('rare', 'GET', '/v2/x509/{name}/status', {
        never: 'tracking hosts get their certificates from the ingress',
      }),
      ...at('rare', 'PUT', '/v1/dkim_management/domains/{name}/rotation'),
      ...at('rare', 'POST', '/v1/dkim_management/domains/{name}/rotate'),
    ],
  },
  {
    title: 'Webhooks',
    endpoints: [
      ...at('core', 'GET POST', '/v3/domains/{domain}/webhooks'),
      ...at('core', 'GET PUT DELETE', '/v3/domains/{domain}/webhooks/{type}'),
      ...at('rare', 'PUT', '/v3/domains/{domain}/webhooks/{type}/test'),
      ...at('useful', 'POST PUT DELETE', '/v4/domains/{domain}/webhooks'),
      ...at('rare', 'GET POST', '/v1/webhooks'),
      ...at('rare', 'GET PUT DELETE', '/v1/webhooks/{id}'),
      ...at('core', 'GET POST', '/v5/accounts/http_signing_key'),
    ],
  },
  {
    title: 'Routes and inbound mail',
    endpoints: [
      ...at('useful', 'GET POST', '/v3/routes'),
      ...at('useful', 'GET PUT DELETE', '/v3/routes/{id}'),
      ...at('useful', 'GET', '/v3/routes/match'),
    ],
  },
  {
    title: 'Templates',
    endpoints: [
      ...at('core', 'GET POST DELETE', '/v3/{domain}/templates'),
      ...at('core', 'GET PUT DELETE', '/v3/{domain}/templates/{name}'),
      ...at('core', 'GET POST', '/v3/{domain}/templates/{name}/versions'),
      ...at('core', 'GET PUT DELETE', '/v3/{domain}/templates/{name}/versions/{tag}'),
      ...at('rare', 'PUT', '/v3/{domain}/templates/{name}/versions/{tag}/copy/{new}'),
      ...at('rare', 'GET POST DELETE', '/v4/templates'),
      ...at('rare', 'GET PUT DELETE', '/v4/templates/{name}'),
      ...at('rare', 'GET POST', '/v4/templates/{name}/versions'),
      ...at('rare', 'GET PUT DELETE', '/v4/templates/{name}/versions/{tag}'),
      ...at('rare', 'PUT', '/v4/templates/{name}/versions/{tag}/copy/{new}'),
    ],
  },
  {
    title: 'Mailing lists',
    endpoints: [
      ...at('useful', 'GET POST', '/v3/lists'),
      ...at('useful', 'GET', '/v3/lists/pages'),
      ...at('useful', 'GET PUT DELETE', '/v3/lists/{address}'),
      ...at('useful', 'GET POST', '/v3/lists/{address}/members'),
      ...at('useful', 'GET', '/v3/lists/{address}/members/pages'),
      ...at('useful', 'GET PUT DELETE', '/v3/lists/{address}/members/{member}'),
      ...at('useful', 'POST', '/v3/lists/{address}/members.json'),
      ...at('useful', 'POST', '/v3/lists/{address}/members.csv'),
      ...at('rare', 'GET POST DELETE', '/v3/lists/{address}/validate'),
    ],
  },
  {
    title: 'Sending addresses (IPs) and pools',
    endpoints: [
      ...at('core', 'GET', '/v3/ips'),
      ...at('rare', 'GET', '/v3/ips/{ip}'),
      ...at('rare', 'GET POST DELETE', '/v3/ips/{ip}/domains', POOLS),
      ...at('rare', 'GET POST', '/v3/ip_pools', POOLS),
      ...at('rare', 'GET PATCH DELETE', '/v3/ip_pools/{pool}', POOLS),
      ...at('aside', 'GET', '/v3/ip_warmups', WARM_UP),
      ...at('aside', 'GET POST DELETE', '/v3/ip_warmups/{ip}', WARM_UP),
      ...at('aside', 'GET POST', '/v3/dynamic_pools', POOLS),
      ...at('aside', 'GET POST PUT DELETE', '/v2/ip_whitelist'),
    ],
  },
  {
    title: 'Accounts, keys, validation',
    endpoints: [
      ...at('useful', 'GET POST', '/v4/address/validate'),
      ...at('aside', 'GET', '/v4/address/validate/bulk', { never: 'lists are not validated in bulk' }),
      ...at('aside', 'GET POST DELETE', '/v4/address/validate/bulk/{list}', {
        never: 'lists are not validated in bulk',
      }),
      ...at('aside', 'GET POST PUT DELETE', '/v4/address/validate/preview/{list}', {
        never: 'lists are not validated in bulk',
      }),
      ...at('useful', 'GET POST', '/v1/keys'),
      ...at('useful', 'DELETE', '/v1/keys/{id}'),
      ...at('useful', 'POST', '/v1/keys/public'),
      ...at('rare', 'GET POST DELETE', '/v5/accounts/subaccounts'),
      ...at('rare', 'GET', '/v5/accounts/subaccounts/{id}'),
      ...at('rare', 'POST', '/v5/accounts/subaccounts/{id}/enable'),
      ...at('rare', 'POST', '/v5/accounts/subaccounts/{id}/disable'),
      ...at('rare', 'GET PUT DELETE', '/v5/accounts/subaccounts/{id}/limit/custom/monthly'),
      ...at('rare', 'PUT', '/v5/accounts/subaccounts/{id}/features'),
      ...at('rare', 'GET PUT DELETE', '/v5/accounts/limit/custom/monthly'),
      ...at('rare', 'PUT', '/v5/accounts/limit/custom/enable'),
      ...at('aside', 'GET', '/v5/users'),
      ...at('aside', 'GET', '/v5/users/{id}'),
      ...at('aside', 'GET POST', '/v5/sandbox/auth_recipients'),
      ...at('aside', 'DELETE', '/v5/sandbox/auth_recipients/{address}'),
    ],
  },
  {
    title: 'Beside sending',
    endpoints: [
      ...at('aside', 'GET POST', '/v1/thresholds/alerts/send'),
      ...at('aside', 'GET POST', '/v1/alerts/settings'),
      ...at('aside', 'GET', '/v1/bounce-classification/stats'),
      ...at('aside', 'POST', '/v2/bounce-classification/metrics'),
      ...at('aside', 'GET POST', '/v4/inbox/tests', {
        never: 'placement is measured at seed mailboxes we do not keep',
      }),
      ...at('aside', 'GET POST', '/v1/preview/tests', { never: 'mail is not rendered for other programs here' }),
    ],
  },
];

/** Where what is ours alone lies; anything else that is served belongs on the list above. */
export const OURS = [
  '/v1/privacy/',
  '/v1/accounts',
  '/v1/users',
  '/v1/sessions',
  '/v1/pauses',
  '/v1/allowed_senders',
  '/unsubscribe',
  '/.well-known/',
  '/health',
  '/openapi.json',
  '/docs',
] as const;
