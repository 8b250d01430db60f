import { PLATFORM_ACCOUNT } from '@lethe/contracts';
import type { AccountsConfig } from '../config.ts';

/** Whether users of the account have to have a second factor. */
export const needsSecondFactor = (accountId: string, { OPERATOR_SECOND_FACTOR: operators }: AccountsConfig): boolean =>
  accountId === PLATFORM_ACCOUNT && operators === 'required';
