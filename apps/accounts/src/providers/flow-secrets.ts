import { createHmac } from 'node:crypto';

/** What a sign-in at a provider is bound to: the browser that began it, the answer, the ID token, and who redeems the code (RFC 7636). */
export interface FlowSecrets {
  state: string;
  nonce: string;
  verifier: string;
}

/** All from one token of 256 bits, which the page that began it keeps: nothing has to be kept here, and none tells another. */
export function flowSecrets(flow: string): FlowSecrets {
  const derived = (purpose: string): string => createHmac('sha256', flow).update(purpose).digest('base64url');
  return { state: derived('state'), nonce: derived('nonce'), verifier: derived('verifier') };
}
