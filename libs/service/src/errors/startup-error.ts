/** Something an operator can put right (config, a taken port, a store away): told without a stack trace. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
