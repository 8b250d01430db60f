/** What runs Lethe on this machine: processes, or containers. */
export interface Engine {
  /** Resolves once mail can be accepted. */
  start(): Promise<Started>;
  /** Ends everything that was started, at any time, also while it starts. */
  stop(): Promise<void>;
}

export interface Started {
  readonly gateway: string;
  readonly operatorToken: string;
  readonly worldHttp: string;
  /** Of the SMTP ports: for whoever wants to trust it. */
  readonly certificateFile: string;
  /** Keeps the demo account's keys between starts. */
  readonly demoFile: string;
  /** Where logs are, or the command that shows them. */
  readonly logs: string;
}
