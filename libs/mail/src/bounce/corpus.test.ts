import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explainBounce } from './explain.ts';
import { REASONS } from './reasons.ts';

// Real bounces with their labels, where there are any: file, recipient, status, reply, reason, hard.
const folder = join(process.env['LETHE_CORPORA'] ?? '', 'bounces');
const labels = join(folder, 'labels.tsv');
const isThere = process.env['LETHE_CORPORA'] !== undefined && existsSync(labels);

it.skipIf(!isThere)(
  'gives at least 95 % of the reasons and 99.5 % of hard and soft as labelled',
  () => {
    const rows = readFileSync(labels, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split('\t'));
    const files = new Map<string, ReturnType<typeof explainBounce>>();
    const wrong: string[] = [];
    const right = { reasons: 0, hard: 0 };
    for (const [file = '', number = '', , , label = '', hard = ''] of rows) {
      const answers = files.get(file) ?? explainBounce(readFileSync(join(folder, file)));
      files.set(file, answers);
      const answer = answers[Number(number) - 1];
      const got = answer ? [REASONS[answer.reason].label, String(answer.hard)] : ['nothing', ''];
      if (got[0] === label) right.reasons++;
      if (got[1] === hard) right.hard++;
      if (got[0] !== label || got[1] !== hard) wrong.push(`${file} ${number}: ${got.join(' ')}, not ${label} ${hard}`);
    }
    const share = (count: number) => count / rows.length;
    const percent = (count: number) => `${(100 * share(count)).toFixed(1)} %`;
    console.log(
      `${rows.length} recipients: ${percent(right.reasons)} of reasons, ${percent(right.hard)} of hard and soft right`,
    );
    expect(rows.length).toBeGreaterThan(100);
    expect(share(right.reasons), wrong.join('\n')).toBeGreaterThanOrEqual(0.95);
    expect(share(right.hard), wrong.join('\n')).toBeGreaterThanOrEqual(0.995);
  },
  120_000,
);
