/** What a domain asks of those who send to it (RFC 8461 §3.2). */
export interface StsPolicy {
  mode: 'enforce' | 'testing' | 'none';
  /** Names of its exchangers; `*.` stands for one label. Lower case. */
  mx: string[];
  maxAgeSeconds: number;
}

/** RFC 8461 §3.2: a year is the most there is. */
const MAX_AGE_SECONDS = 31_557_600;
const MAX_MX = 100;
const MX_PATTERN = /^(?=.{1,253}$)(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/**
 * The id of the policy that a domain says it has, out of the TXT records of `_mta-sts.` (RFC 8461 §3.1); undefined if it says nothing,
 * or anything but one thing.
 */
export function policyId(records: readonly string[]): string | undefined {
  const ours = records.filter((record) => /^v=STSv1[ \t]*(;|$)/.test(record));
  if (ours.length !== 1) return undefined;
  const fields = (ours[0] as string).split(';').map((field) => field.trim());
  return fields.map((field) => /^id=([A-Za-z0-9]{1,32})$/.exec(field)?.[1]).find((id) => id !== undefined);
}

/** Reads what was fetched; undefined: it is no policy. Of a field that is there twice the first counts, but for `mx`. */
export function parsePolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^[ \t]*([A-Za-z0-9][\w.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === 'mx') mx.push(value.toLowerCase().replace(/\.$/, ''));
    else if (name !== '' && !fields.has(name)) fields.set(name, value);
  }
  const mode = fields.get('mode');
  const age = fields.get('max_age') ?? '';
  if (fields.get('version') !== 'STSv1' || !/^\d{1,10}$/.test(age)) return undefined;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if (mode !== 'none' && mx.length === 0) return undefined;
  if (mx.length > MAX_MX || !mx.every((pattern) => MX_PATTERN.test(pattern))) return undefined;
  return { mode, mx, maxAgeSeconds: Math.min(Number(age), MAX_AGE_SECONDS) };
}

/** Whether an exchanger is one of the policy's (RFC 8461 §4.1). */
export function names({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const parent = name.slice(name.indexOf('.') + 1);
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? name.includes('.') && pattern.slice(2) === parent : pattern === name,
  );
}
