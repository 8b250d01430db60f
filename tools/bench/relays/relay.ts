/** A mail server in the same role: it takes mail by SMTP on loopback, keeps it durably, and passes it on to one sink. */
export interface Relay {
  readonly name: string;
  readonly port: number;
  /** What it has done when it answers 250. */
  readonly durability: string;
  /** CPU seconds used so far, by process. */
  readonly cpu: () => Record<string, number>;
  stop(): Promise<void>;
}
