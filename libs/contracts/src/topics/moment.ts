const MOMENT_MS = 256;

/**
 * Partition by the moment that a message's id (uuidv7) was made in: everything about one message lies in one partition, and so does
 * what is said about many at the same time. By a hash of the id a produce call of ten records had a batch for each of eight partitions,
 * and every batch costs each of its readers as much as many records.
 */
export function partitionOfMoment(messageId: string, partitions: number): number {
  const ms = Number.parseInt(messageId.slice(0, 8) + messageId.slice(9, 13), 16);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / MOMENT_MS) % partitions;
}
