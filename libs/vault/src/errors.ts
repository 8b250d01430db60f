/** The keys are gone or refused: the person, the account, the period or the message has been forgotten. Final. */
export class ForgottenError extends Error {
  override readonly name = 'ForgottenError';
  constructor(what: 'subject' | 'account' | 'period' | 'message') {
    super(`The ${what} this belongs to has been forgotten; what was sealed for it cannot be opened or added to`);
  }
}

/** The vault does not answer, or its revocations cannot be heard: nothing is sealed or opened. Retry later. */
export class VaultUnavailableError extends Error {
  override readonly name = 'VaultUnavailableError';
  /** By this the error filter answers 503. */
  readonly code = 'VAULT_UNAVAILABLE';
  readonly retryable = true;
  constructor(reason: string, options?: ErrorOptions) {
    super(`The vault is not available (${reason}); try again`, options);
  }
}

/** Why a vault that was started answers nothing yet: it may be an older one, in which destroyed keys are back. */
export const CLOSED = 'closed until its ledger is applied';

export type SealErrorCode = 'malformed' | 'wrong-account' | 'wrong-type' | 'wrong-record' | 'altered';

/** A sealed value that is not what the opener expects: another record's, another account's, or altered. Never retried. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code: SealErrorCode;
  constructor(code: SealErrorCode) {
    super(
      {
        malformed: 'The sealed value is not of the form this platform makes',
        'wrong-account': 'The sealed value belongs to another account',
        'wrong-type': 'The sealed value is of another type',
        'wrong-record': 'The sealed value belongs to another record',
        altered: 'The sealed value was altered or sealed under another key',
      }[code],
    );
    this.code = code;
  }
}

/** A fault of set-up, not of the moment: the wrong key file, a role without the right. Retrying does not help. */
export class VaultSetupError extends Error {
  override readonly name = 'VaultSetupError';
}
