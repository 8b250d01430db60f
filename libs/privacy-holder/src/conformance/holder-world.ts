import type { StoreDeclaration } from '@lethe/contracts';
import type { Counts, PersonalDataHolder } from '../holder.ts';

/** A person who was just given records of every kind that the holder knows. */
export interface PlantedPerson {
  /** Its subject id within `HolderWorld.accountId`. */
  readonly subject: string;
  /** How many records of it there are now, by kind: its own, and mentions in the records of others. */
  readonly planted: Counts;
}

/** A holder on real stores, as a service's suite starts it for `holderConformance`. Its stores start empty. */
export interface HolderWorld {
  readonly holder: PersonalDataHolder;
  /** The account all planted people belong to. */
  readonly accountId: string;
  /** Every kind the holder counts; what is planted and answered has no other. */
  readonly kinds: readonly string[];
  /** What the holder measures: the declarations of its `stores.ts`. Those without a time limit are left aside. */
  readonly stores: readonly StoreDeclaration[];
  /** Names of the limited stores that a planted person has records in: their reading is not null then. */
  readonly filled: readonly string[];
  /** Names of limited stores that hold something from the start, such as keys made ahead. None is usual. */
  readonly neverEmpty?: readonly string[];

  /**
   * Makes a new person with at least one record of each of `kinds`: records of its own, and mentions in records of others.
   * Answers when they can be found (Kafka read, indices refreshed). `null`: this service holds no person's records.
   */
  plant(): Promise<PlantedPerson | null>;

  /**
   * A comparable picture of everything the stores hold that is not these people's: every row and document of everybody else,
   * sorted, with the elements that name one of these people left out. The same before and after they are erased.
   */
  others(people: readonly PlantedPerson[]): Promise<unknown>;

  close(): Promise<void>;
}
