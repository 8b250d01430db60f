import { median, type Round } from './rounds.ts';
import type { Relay } from './relay.ts';

type Rate = 'acceptedPerSecond' | 'deliveredPerSecond';

/** What Lethe is to reach of a peer, as a multiple of its rate. */
const GOALS: readonly { peer: string; rate: Rate; what: string; atLeast: number }[] = [
  { peer: 'Postfix', rate: 'acceptedPerSecond', what: 'accepted', atLeast: 1.3 },
  { peer: 'Postfix', rate: 'deliveredPerSecond', what: 'delivered', atLeast: 1.2 },
  { peer: 'Haraka', rate: 'deliveredPerSecond', what: 'delivered', atLeast: 1.5 },
];
/** Where Kafka forces each append to disk. */
const GOAL_WITH_FSYNC = 1;
const CPU_GOALS: Readonly<Record<number, number>> = { 1_024: 1.2, 10_240: 1.8 };

/** Lines of one size: each relay's medians with their range, then the ratios beside their goals. */
export function report(results: ReadonlyMap<Relay, readonly Round[]>, octets: number, fsync: boolean): string[] {
  const size = `${octets / 1_024} KiB`;
  const lines = [...results].map(([{ name }, rounds]) => {
    const of = (pick: (round: Round) => number, digits: number): string => spread(rounds.map(pick), digits);
    return (
      `${size} ${name}: accepted ${of((round) => round.acceptedPerSecond, 0)}/s, ` +
      `delivered ${of((round) => round.deliveredPerSecond, 0)}/s, ${of(({ cpuMs }) => cpuMs, 2)} ms CPU a message`
    );
  });
  const named = new Map([...results].map(([{ name }, rounds]) => [name, rounds]));
  const ours = named.get('Lethe') ?? [];
  for (const { peer, rate, what, atLeast } of GOALS) {
    const theirs = named.get(peer);
    if (!theirs) continue;
    const ratio = median(ours.map((round) => round[rate])) / median(theirs.map((round) => round[rate]));
    const goal = fsync && peer === 'Postfix' ? GOAL_WITH_FSYNC : atLeast;
    lines.push(`${size} ${what}, Lethe : ${peer} = ${ratio.toFixed(2)} (goal ${goal.toFixed(1)})`);
  }
  lines.push(`${size} CPU a message of Lethe by process: ${byProcess(ours)} (goal ${CPU_GOALS[octets]} ms in all)`);
  return lines;
}

const spread = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} [${Math.min(...values).toFixed(digits)}..${Math.max(...values).toFixed(digits)}]`;

function byProcess(rounds: readonly Round[]): string {
  const names = Object.keys(rounds[0]?.cpuByProcess ?? {});
  const medians = names.map((name) => [name, median(rounds.map((round) => round.cpuByProcess[name] ?? 0))] as const);
  return medians
    .filter(([, ms]) => ms >= 0.005)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
    .join(', ');
}
