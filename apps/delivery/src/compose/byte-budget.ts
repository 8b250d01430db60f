/** A number of bytes that may be in use at once. One larger than all of it goes alone. */
export class ByteBudget {
  private used = 0;

  constructor(private readonly total: number) {}

  /** Takes the bytes and answers how to give them back (once), or undefined if there are not enough now. */
  take(bytes: number): (() => void) | undefined {
    if (this.used > 0 && this.used + bytes > this.total) return undefined;
    this.used += bytes;
    let taken = bytes;
    return () => {
      this.used -= taken;
      taken = 0;
    };
  }
}
