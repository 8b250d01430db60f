/** Waits for a promise at most `waitMs`. Answers `late` when it did not settle; a rejection in time is thrown. */
export async function settleWithin(work: Promise<unknown>, waitMs: number): Promise<'settled' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), waitMs);
  });
  try {
    return await Promise.race([work.then(() => 'settled' as const), late]);
  } finally {
    clearTimeout(timer);
    // A later rejection is the caller's no more; it must not end the process as unhandled.
    work.catch(() => undefined);
  }
}
