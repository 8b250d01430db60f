import { readFileSync } from 'node:fs';
import { Inject, Injectable } from '@nestjs/common';
import { ApiError, CONFIG, Log, StartupError } from '@lethe/service';
import * as oidc from 'openid-client';
import type { AccountsConfig } from '../config.ts';
import type { FlowSecrets } from './flow-secrets.ts';

const TIMEOUT_SECONDS = 10;
/** Where the provider leads the browser back: the page that began posts what it was given there. */
const REDIRECT_PATH = '/sign-in';

/** Who signed in at the provider, as it says in a token that it signed. Nothing else that it says of them is believed. */
export interface ProvenIdentity {
  issuer: string;
  subject: string;
}

/** The OpenID provider of this installation (OpenID Connect Core 1.0, authorization code with PKCE). */
@Injectable()
export class ProviderClient {
  private readonly settings: { issuer: URL; clientId: string; secret: string } | undefined;
  private readonly redirectUri: string;
  private discovered: Promise<oidc.Configuration> | undefined;

  constructor(
    @Inject(CONFIG) config: AccountsConfig,
    private readonly log: Log,
  ) {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET_FILE: file } = config;
    this.redirectUri = `${config.PUBLIC_URL}${REDIRECT_PATH}`;
    if (issuer === undefined) return;
    if (clientId === undefined || file === undefined) {
      throw new StartupError('OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET_FILE beside it');
    }
    this.settings = { issuer: new URL(issuer), clientId, secret: readFileSync(file, 'utf8').trim() };
  }

  /** Where the browser goes to sign in. Throws ApiError 404 where there is no provider, 503 where it does not answer. */
  async authorizationUrl({ state, nonce, verifier }: FlowSecrets): Promise<string> {
    const configuration = await this.configuration();
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.redirectUri,
      scope: 'openid',
      response_type: 'code',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    }).href;
  }

  /** `query`: what the provider gave the browser to bring back. Throws ApiError 401 where it does not fit what was begun. */
  async redeem(query: string, { state, nonce, verifier }: FlowSecrets): Promise<ProvenIdentity> {
    const configuration = await this.configuration();
    const answer = new URL(this.redirectUri);
    answer.search = query;
    const expected = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const tokens = await this.asked(() => oidc.authorizationCodeGrant(configuration, answer, expected));
    const claims = tokens.claims();
    if (claims === undefined) throw unproven();
    return { issuer: claims.iss, subject: claims.sub };
  }

  private configuration(): Promise<oidc.Configuration> {
    this.discovered ??= this.discover().catch((error: unknown) => {
      this.discovered = undefined;
      throw error;
    });
    return this.discovered;
  }

  private async discover(): Promise<oidc.Configuration> {
    if (this.settings === undefined) throw new ApiError(404, 'No provider to sign in at is set up here');
    const { issuer, clientId, secret } = this.settings;
    // The schema takes http of this machine alone.
    const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
    return this.asked(() =>
      oidc.discovery(issuer, clientId, undefined, oidc.ClientSecretBasic(secret), {
        execute,
        timeout: TIMEOUT_SECONDS,
      }),
    );
  }

  /** What does not fit is no proof; a provider that cannot be reached is asked again later. Neither is repeated to anybody. */
  private async asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isAway(error))
        throw new ApiError(503, 'The provider to sign in at does not answer: try again', { retryAfterSeconds: 5 });
      this.log.warn('sign-in.provider-refused', { error });
      throw unproven();
    }
  }
}

const unproven = (): ApiError => new ApiError(401, 'The provider did not confirm who signed in: begin anew');

/** `fetch` failed, took too long, or the provider has trouble of its own. */
function isAway(error: unknown): boolean {
  if (error instanceof TypeError) return error.message === 'fetch failed';
  if (error instanceof oidc.ClientError) {
    const unexpected = error.cause instanceof Response && error.cause.status >= 500;
    return unexpected || error.code === 'OAUTH_TIMEOUT';
  }
  return error instanceof oidc.ResponseBodyError && error.status >= 500;
}
