/** The right to one session with a site, among those of all processes. */
export interface Slot {
  readonly site: number;
  readonly number: number;
  /** Monotonic milliseconds: since when it is ours, and before when nothing begins in it. */
  readonly takenAt: number;
  readyAt: number;
  /** A message went over it. */
  served: boolean;
}

/** Somebody else finds no slot of that site free. */
export interface Wanted {
  site: number;
  /** How many they have. */
  have: number;
  /** For how long they have wanted one more, in milliseconds. */
  waitedMs: number;
}

/** Where slots are kept is away: it is not known what others have, and nothing may be begun. */
export class SlotsAway extends Error {
  override readonly name = 'SlotsAway';
}

/** Who has which slots, across processes. */
export interface Slots {
  /** One of the `of` slots of a site, or undefined while none is free. Throws SlotsAway. */
  take(site: number, of: number): Promise<Slot | undefined>;
  /** Its session is closed, or never was: anybody may have it. */
  giveBack(slot: Slot): void;
  /** Tells the others. */
  want(wanted: Wanted): void;
  /** `lost`: what we have may be somebody else's by now. */
  listen(heard: { wanted: (wanted: Wanted) => void; lost: () => void }): void;
}
