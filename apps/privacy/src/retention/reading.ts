import { HOLDERS, RETENTION, type Reading } from '@lethe/contracts';
import type { Answer } from '@lethe/service';
import { z } from 'zod';

/** How far the clocks of two machines may be apart. */
export const SKEW_MS = 60_000;

/** Who measured: a holder its own stores, privacy the topics and the vault. */
export const SOURCES = [...HOLDERS, 'topics', 'vault'] as const;
export type Source = (typeof SOURCES)[number];

export interface StoredReading {
  readonly store: string;
  /** Who answers for the store. */
  readonly service: string;
  readonly class: string;
  readonly limitSeconds: number;
  /** Of the oldest record; `null`: the store is empty. */
  readonly oldestAt: Date | null;
}

/** A source's last answer, and what it said. */
export interface SourceReadings {
  readonly source: Source;
  /** `null`: it never answered. */
  readonly measuredAt: Date | null;
  readonly readings: readonly StoredReading[];
}

/** As `GET /v1/privacy/retention` shows it. Of a source that never answered there is one line, with nothing but that. */
const readingShape = z.object({
  store: z.string(),
  service: z.string(),
  class: z.string().nullable(),
  limit_seconds: z.number().nullable(),
  oldest_at: z.string().nullable(),
  age_seconds: z.number().nullable(),
  measured_at: z.string().nullable(),
  /** Measured lately, and nothing is older than its limit. */
  ok: z.boolean(),
});
export type ShownReading = Answer<typeof readingShape>;

export const readingsShape = z.object({ readings: z.array(readingShape) });

/** @param staleMs age at which a reading proves nothing any more. */
export function shown(sources: readonly SourceReadings[], now: number, staleMs: number): ShownReading[] {
  return SOURCES.flatMap((name) => {
    const { measuredAt, readings } = sources.find(({ source }) => source === name) ?? {
      measuredAt: null,
      readings: [],
    };
    if (measuredAt === null) return [silent(name)];
    const age = now - measuredAt.getTime();
    const fresh = age >= -SKEW_MS && age <= staleMs;
    return readings.map((reading) => ({
      store: reading.store,
      service: reading.service,
      class: reading.class,
      limit_seconds: reading.limitSeconds,
      oldest_at: reading.oldestAt?.toISOString() ?? null,
      age_seconds: ageSeconds(reading.oldestAt, measuredAt),
      measured_at: measuredAt.toISOString(),
      ok: fresh && (ageSeconds(reading.oldestAt, measuredAt) ?? 0) <= reading.limitSeconds,
    }));
  });
}

/** When it was measured: what has grown older since is in the next reading. */
const ageSeconds = (oldestAt: Date | null, measuredAt: Date): number | null =>
  oldestAt === null ? null : Math.max(0, Math.floor((measuredAt.getTime() - oldestAt.getTime()) / 1_000));

const silent = (source: Source): ShownReading => ({
  store: source,
  service: source === 'topics' || source === 'vault' ? 'privacy' : source,
  class: null,
  limit_seconds: null,
  oldest_at: null,
  age_seconds: null,
  measured_at: null,
  ok: false,
});

/**
 * Why a reading cannot be one, if so: a holder cannot give itself more time than is declared, measure what is not its own, or have
 * a record that is younger than the measurement. `at`: when it was measured, epoch ms.
 */
export function nonsense(source: Source, reading: Reading, at: number): string | undefined {
  if (reading.oldestAt !== null && reading.oldestAt > at + SKEW_MS) return 'younger-than-its-measurement';
  if (!reading.store.startsWith(`${source}.`)) return 'not-its-store';
  const declared = Object.hasOwn(RETENTION, reading.class)
    ? RETENTION[reading.class as keyof typeof RETENTION]
    : undefined;
  if (declared !== undefined && reading.limitSeconds * 1_000 > declared.limitMs) return 'longer-than-declared';
  return undefined;
}
