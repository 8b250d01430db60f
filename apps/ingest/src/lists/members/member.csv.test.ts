import { describe, expect, it } from 'vitest';
import { csvMembers } from './member.csv.ts';

const MIB = 1_048_576;
const read = (text: string): string[] => [...csvMembers(Buffer.from(text), undefined)].map(({ address }) => address);

describe('a file of members', () => {
  it('may have empty lines, blank ones and cells that are empty', () => {
    expect(read('\r\n\n \t\n"a@a.example",,\n\n ,\n \n b@a.example\n\n')).toEqual(['a@a.example', 'b@a.example']);
    expect(read('name,address\n\nAnn,a@a.example\n')).toEqual(['a@a.example']);
  });

  // Everybody's messages wait while it is read: it took seconds, and minutes with many columns.
  it.each([
    ['rows of commas', ','.repeat(5 * MIB), /more than 100 cells/],
    ['very many columns', `address${',x'.repeat(MIB)}\n${'a@a.example\n'.repeat(20_000)}`, /more than 100 cells/],
    ['quotes', '"'.repeat(5 * MIB), /too long/],
    ['empty lines', '\n'.repeat(5 * MIB), undefined],
    ['blanks', ' '.repeat(5 * MIB), /too long/],
  ])('of %s costs little', (_name, text, refusal) => {
    const file = Buffer.from(text);
    const used = process.cpuUsage();
    const reading = (): unknown => [...csvMembers(file, undefined)];
    if (refusal) expect(reading).toThrow(refusal);
    else expect(reading()).toEqual([]);
    expect(process.cpuUsage(used).user).toBeLessThan(500_000);
  });
});
