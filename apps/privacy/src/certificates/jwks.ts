import type { KnownKey } from './certificate.jws.ts';

/** A public key as RFC 7517 and RFC 8037 write it. Times are epoch seconds, named as in OpenID Federation's historical keys. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
  /** It signs since. */
  readonly nbf: number;
  /** It signed until; absent while it does. */
  readonly exp?: number;
}

export const jwks = (keys: readonly KnownKey[]): { keys: PublicJwk[] } => ({ keys: keys.map(publicJwk) });

const publicJwk = ({ kid, x, validFrom, retiredAt }: KnownKey): PublicJwk => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x,
  kid,
  use: 'sig',
  alg: 'EdDSA',
  nbf: Math.floor(validFrom.getTime() / 1_000),
  ...(retiredAt && { exp: Math.ceil(retiredAt.getTime() / 1_000) }),
});
