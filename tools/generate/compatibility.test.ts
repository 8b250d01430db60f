import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMPATIBILITY, listFaults, renderCompatibility } from './compatibility.ts';
import { MAILGUN, type MailgunGroup } from './mailgun-endpoints.ts';
import { leadingNowhere, servedApi, unreachable, type ApiDocument, type ServedApi } from './served-api.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, COMPATIBILITY), 'utf8');
let api: ServedApi;
beforeAll(async () => void (api = await servedApi(root)), 180_000);

describe('docs/mailgun-compatibility.md', () => {
  it('is made of routes that are all described, and that the gateway leads to', () => {
    expect(api.faults).toEqual([]);
  });

  it('has every endpoint that is served on a list', () => {
    expect(listFaults(MAILGUN, api.document)).toEqual([]);
  });

  it('is what is served: run "npm run generate" and look at what changed', () => {
    expect(page).toBe(renderCompatibility(MAILGUN, api.document));
  });

  it('says of each endpoint whether it is served, as the document has it', () => {
    const rows = [...page.matchAll(/^\| `([A-Z]+) ([^`]+)` \| \w+ \| (\*\*yes\*\*|not yet|never) \|/gm)];
    expect(rows.length).toBeGreaterThan(150);
    const templates = new Map(
      Object.entries(api.document.paths).map(([path, operations]) => [path.replaceAll(/\{\w+\}/g, '{}'), operations]),
    );
    for (const [, method = '', path = '', here] of rows) {
      const served = templates.get(path.replaceAll(/\{\w+\}/g, '{}'))?.[method.toLowerCase()] !== undefined;
      expect([`${method} ${path}`, here === '**yes**']).toEqual([`${method} ${path}`, served]);
    }
  });
});

const operation = { summary: 'Planted', security: [{ key: ['domains:read'] }] };
const document: ApiDocument = {
  paths: { '/v4/domains/{name}/planted': { get: operation }, '/health': { get: { ...operation, security: [] } } },
};
const group = (...endpoints: MailgunGroup['endpoints']): MailgunGroup[] => [{ title: 'Planted', endpoints }];
const planted = { tier: 'core', endpoint: 'GET /v4/domains/{d}/planted' } as const;

describe('the list is refused', () => {
  it('not while it has all that is served, in either spelling', () => {
    expect(listFaults(group(planted), document)).toEqual([]);
    expect(listFaults(group({ ...planted, endpoint: 'GET /v3/domains/{d}/planted' }), document)).toEqual([]);
  });

  it('without what is served', () => {
    expect(listFaults(group(), document)).toEqual([
      'GET /v4/domains/{name}/planted is served and on no list: add it to tools/generate/mailgun-endpoints.ts',
    ]);
  });

  it('where it says never of what is served, or anything twice', () => {
    expect(listFaults(group({ ...planted, never: 'no' }), document).join()).toContain(
      'cannot be said to be never there',
    );
    expect(
      listFaults(group(planted, { ...planted, endpoint: 'GET /v4/domains/{x}/planted' }), document).join(),
    ).toContain('is listed twice');
  });
});

describe('the gateway and the services are held together', () => {
  const row = { paths: ['/v3/planted'], methods: ['GET'], service: 'ingest' };
  const described = [{ service: 'ingest', paths: { '/v3/planted': { get: { ...operation } as never } } }];

  it('where both agree', () => {
    expect(unreachable(described, () => row)).toEqual([]);
    expect(leadingNowhere(described, [row], () => row)).toEqual([]);
  });

  it('where nobody can call what is described', () => {
    expect(unreachable(described, () => undefined).join()).toContain('GET /v3/planted: no row of apps/gateway');
    expect(unreachable(described, () => ({ ...row, service: 'events' }))).toHaveLength(1);
  });

  it('where the gateway leads to what nobody describes', () => {
    expect(leadingNowhere([], [row], () => row)).toEqual([
      'routes.ts: GET /v3/planted: ingest describes nothing there',
    ]);
  });
});
