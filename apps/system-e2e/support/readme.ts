import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@lethe/testing';

/** A command of the README and, where a block follows it, what it is said to answer. */
export interface Example {
  readonly command: string;
  readonly answer?: { readonly kind: 'json' | 'text'; readonly text: string };
}

export function readmeExamples(): Example[] {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```(sh|json|text)\n(.*?)^```$/gms)].map(([, kind, text]) => ({ kind, text }));
  return blocks.flatMap(({ kind, text }, index): Example[] => {
    if (kind !== 'sh') return [];
    const next = blocks[index + 1];
    const answer = next && next.kind !== 'sh' ? { answer: next as NonNullable<Example['answer']> } : {};
    return [{ command: text ?? '', ...answer }];
  });
}

/** @returns what is printed; fails where the script does. */
export function bash(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'bash',
      ['-euo', 'pipefail', '-c', script],
      { cwd: REPOSITORY, timeout: 60_000 },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)),
    );
  });
}

/** @returns why `output` is not what the README says, or null. `…` stands for anything; JSON may leave out fields. */
export function differs(output: string, answer: NonNullable<Example['answer']>): string | null {
  if (answer.kind === 'json') return differsAt('$', JSON.parse(answer.text), JSON.parse(output));
  const missing = answer.text
    .trim()
    .split('\n')
    .filter((line) => !pattern(line).test(output));
  return missing.length > 0 ? `it lacks: ${missing.join(' | ')}` : null;
}

const pattern = (text: string): RegExp =>
  new RegExp(
    text
      .split('…')
      .map((part) => RegExp.escape(part))
      .join('.*'),
  );

function differsAt(path: string, said: unknown, found: unknown): string | null {
  if (typeof said === 'string' && said.includes('…')) {
    return typeof found === 'string' && pattern(said).test(found) ? null : `${path} is ${JSON.stringify(found)}`;
  }
  if (said === null || typeof said !== 'object') {
    return said === found ? null : `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(said)}`;
  }
  if (found === null || typeof found !== 'object') return `${path} is ${JSON.stringify(found)}`;
  for (const [key, value] of Object.entries(said)) {
    const fault = differsAt(`${path}.${key}`, value, (found as Record<string, unknown>)[key]);
    if (fault) return fault;
  }
  return null;
}
