/** What can call a message back while it is on its way to a server: until its final dot has left, nothing was sent. */
export interface Guard {
  /** Once aborted not one octet more leaves; whoever sends gets its reason. */
  readonly signal: AbortSignal;
  /** Asked when there is a session and nothing was said in it. Throws to call the message off. */
  beforeFirstWord(): Promise<void>;
  /** Asked when the server waits for the content. Throws to call the message off; undefined: nothing had to be asked. */
  beforeContent(): Promise<void> | undefined;
}

/** Waits for `work`, but no longer than the signal allows; what comes later is given to `unwanted`. */
export function unlessAborted<T>(
  signal: AbortSignal,
  work: Promise<T>,
  unwanted: (value: T) => void = () => {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      work.then(unwanted, () => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
