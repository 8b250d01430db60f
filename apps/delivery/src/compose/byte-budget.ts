export interface Taken {
  /** Whether there is room for so many bytes more, which are then in use, too. */
  more(bytes: number): boolean;
  /** Gives all of it back, once. */
  release(): void;
}

/** A number of bytes that may be in use at once. Who is alone may have more than all of it. */
export class ByteBudget {
  private used = 0;

  constructor(private readonly total: number) {}

  /** Undefined: there are not enough now. */
  take(bytes: number): Taken | undefined {
    let taken = 0;
    const more = (further: number): boolean => {
      if (this.used > taken && this.used + further > this.total) return false;
      this.used += further;
      taken += further;
      return true;
    };
    if (!more(bytes)) return undefined;
    const release = (): void => {
      this.used -= taken;
      taken = 0;
    };
    return { more, release };
  }
}
