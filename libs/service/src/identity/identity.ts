/** Who the gateway says is calling. */
export interface Identity {
  /** Account id. */
  account: string;
  scopes: string[];
  /** Id of the API key or session, for the audit trail. */
  keyId: string;
  /** The domain a domain-bound key is limited to. */
  domain?: string;
  requestId: string;
}

/** What is signed: the request id travels beside it, so that one token serves many requests. */
export type Claims = Omit<Identity, 'requestId'>;

export const ISSUER = 'gateway';
export const LIFETIME_SECONDS = 60;
export const ALGORITHM = 'EdDSA';
