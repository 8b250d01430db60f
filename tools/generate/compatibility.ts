import { MAILGUN, OURS, type MailgunEndpoint, type MailgunGroup } from './mailgun-endpoints.ts';
import { servedApi, type ApiDocument } from './served-api.ts';

/** Where the page stands, from the root of the workspace. */
export const COMPATIBILITY = 'docs/mailgun-compatibility.md';

const INTRODUCTION = `# Mailgun's API here

Made by \`npm run generate\` from the OpenAPI document that the gateway serves at \`GET /openapi.json\`, and from the list of Mailgun's
endpoints (\`tools/generate/mailgun-endpoints.ts\`); never edited by hand. CI fails where this page differs from what is served:
whatever is served is on it, and whatever it says is there is served.

- **yes**: served, with Mailgun's fields, answers and errors. What is not taken is refused by name, never ignored.
- **not yet**: answers 404.
- **never**: answers 404 and will not be there; the note says why.

\`core\`: what most senders call; \`useful\`: what many do; \`rare\`: what few do; \`aside\`: what is no part of sending mail. Where \`/v3\` and
\`/v4\` are one, the other spelling stands in the note.`;

interface Served {
  endpoint: string;
  summary: string;
  needs: string;
}

/** The page as it should be. Throws where descriptions have faults: a page that leaves something out is none. */
export async function compatibilityPage(root: string): Promise<string> {
  const { document, faults } = await servedApi(root);
  const all = [...faults, ...listFaults(MAILGUN, document)];
  if (all.length > 0) throw new Error(`${COMPATIBILITY} cannot be made:\n  ${all.join('\n  ')}`);
  return renderCompatibility(MAILGUN, document);
}

/** What is served and on no list, listed twice, or said to be never there although it is; each with what to do. */
export function listFaults(groups: readonly MailgunGroup[], document: ApiDocument): string[] {
  const listed = groups.flatMap(({ endpoints }) => endpoints);
  const known = new Map(listed.map((one) => [sameAs(one.endpoint), one]));
  const served = servedOf(document);
  const isServed = new Set(served.map(({ endpoint }) => sameAs(endpoint)));
  const doubled = listed.filter((one) => known.get(sameAs(one.endpoint)) !== one);
  return [
    ...doubled.map(({ endpoint }) => `mailgun-endpoints.ts: ${endpoint} is listed twice`),
    ...served
      .filter(({ endpoint }) => !isOurs(endpoint) && !listedAs(endpoint, known))
      .map(({ endpoint }) => `${endpoint} is served and on no list: add it to tools/generate/mailgun-endpoints.ts`),
    ...listed
      .filter(({ endpoint, never }) => never !== undefined && isServed.has(sameAs(endpoint)))
      .map(({ endpoint }) => `mailgun-endpoints.ts: ${endpoint} is served: it cannot be said to be never there`),
  ];
}

export function renderCompatibility(groups: readonly MailgunGroup[], document: ApiDocument): string {
  const served = new Map(servedOf(document).map((one) => [sameAs(one.endpoint), one]));
  const ours = [...served.values()].filter(({ endpoint }) => isOurs(endpoint));
  return [
    INTRODUCTION,
    ...groups.flatMap(({ title, endpoints }) => [
      `## ${title}`,
      table(
        ['endpoint', 'tier', 'here', 'note'],
        endpoints.map((one) => [code(one.endpoint), one.tier, stateOf(one, served), noteOf(one, served)]),
      ),
    ]),
    '## Beside Mailgun',
    'What Lethe has of its own.',
    table(
      ['endpoint', 'what', 'needs'],
      ours.map(({ endpoint, summary, needs }) => [code(endpoint), summary, needs]),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

function servedOf({ paths }: ApiDocument): Served[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary, security }]) => ({
      endpoint: `${method.toUpperCase()} ${path}`,
      summary,
      needs: needsOf(security),
    })),
  );
}

function needsOf([requirement]: Record<string, string[]>[]): string {
  if (!requirement) return 'nothing';
  const rights = requirement['key'];
  if (requirement['session']) return 'a session';
  return rights ? rights.map(code).join(' and ') : 'the operator’s token';
}

function stateOf({ endpoint, never }: MailgunEndpoint, served: ReadonlyMap<string, Served>): string {
  if (served.has(sameAs(endpoint))) return '**yes**';
  return never === undefined ? 'not yet' : 'never';
}

function noteOf({ endpoint, never, note }: MailgunEndpoint, served: ReadonlyMap<string, Served>): string {
  const other = otherSpelling(endpoint) === endpoint ? undefined : served.get(sameAs(otherSpelling(endpoint)));
  const alias = other && served.has(sameAs(endpoint)) ? [`also \`${/\/v\d/.exec(other.endpoint)?.[0]}\``] : [];
  return [...alias, never, note].filter((text) => text !== undefined).join('; ');
}

/** The same whatever the parameters are called. */
const sameAs = (endpoint: string): string => endpoint.replaceAll(/\{\w+\}/g, '{}');
const otherSpelling = (endpoint: string): string =>
  endpoint.replace(/\/v[34]\/domains/, (found) => (found === '/v3/domains' ? '/v4/domains' : '/v3/domains'));
const listedAs = (endpoint: string, known: ReadonlyMap<string, MailgunEndpoint>): boolean =>
  known.has(sameAs(endpoint)) || known.has(sameAs(otherSpelling(endpoint)));
const isOurs = (endpoint: string): boolean => OURS.some((start) => endpoint.split(' ')[1]?.startsWith(start));

const code = (text: string): string => `\`${text}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
