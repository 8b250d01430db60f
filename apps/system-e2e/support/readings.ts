import { get, until } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

export interface Reading {
  readonly store: string;
  readonly service: string;
  readonly class: string;
  readonly limit_seconds: number;
  readonly oldest_at: string | null;
  readonly age_seconds: number | null;
  readonly measured_at: string | null;
  readonly ok: boolean;
}

/**
 * Waits until every store was measured after `since` (epoch ms of the platform's clock) and nothing is older than its limit.
 * Throws with the readings that are not well.
 */
export async function allWell(own: OwnPlatform, since: number, withinMs: number): Promise<Reading[]> {
  let readings: Reading[] = [];
  const well = async (): Promise<boolean> => {
    const response = await get(`${own.platform.gateway}/v1/privacy/retention`, own.demo.privacyKey);
    if (!response.ok) return false;
    ({ readings } = (await response.json()) as { readings: Reading[] });
    return readings.length > 0 && readings.every((reading) => isWell(reading, since));
  };
  if (await until(well, withinMs, 500)) return readings;
  const others = readings.filter((reading) => !isWell(reading, since));
  throw new Error(`${others.length} of ${readings.length} readings are not well: ${JSON.stringify(others, null, 1)}`);
}

const isWell = ({ ok, measured_at: at, age_seconds: age, limit_seconds: limit }: Reading, since: number): boolean =>
  ok && at !== null && Date.parse(at) >= since && (age ?? 0) <= limit;
