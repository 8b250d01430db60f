// oxlint-disable-next-line typescript/triple-slash-reference -- the package brings no types, and whoever compiles this from its source has to find ours.
/// <reference path="./oidc-provider.d.ts" />
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** A certified OpenID provider on loopback, which believes everybody who they say they are. It has one client. */
export class OpenIdProvider {
  readonly client = { id: 'lethe', secret: 'a secret of the client' };
  issuer = '';
  private server: Server | undefined;
  private redirectUri = '';

  async start(): Promise<this> {
    this.server = createServer();
    await new Promise<void>((done) => this.server?.listen(0, '127.0.0.1', done));
    this.issuer = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  /** Answers from now on, and leads browsers back there. */
  serve(redirectUri: string): void {
    this.redirectUri = redirectUri;
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: this.client.id, client_secret: this.client.secret, redirect_uris: [redirectUri] }],
      // Claims an address of anybody, and that it is verified: nothing of that may count.
      findAccount: (_: unknown, accountId: string) => ({
        accountId,
        claims: () => ({ sub: accountId, email: 'victim@world.example', email_verified: true }),
      }),
      claims: { openid: ['sub', 'email', 'email_verified'] },
      conformIdTokenClaims: false,
    });
    this.server?.on('request', provider.callback());
  }

  /** As a browser: signs in and agrees; answers the query that it is led back with. */
  async signIn(url: string, subject: string): Promise<string> {
    const cookies = new Map<string, string>();
    const go = async (to: string, form?: Record<string, string>): Promise<Response> => {
      const response = await fetch(new URL(to, this.issuer), {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(name, value);
      }
      return response;
    };
    let at = url;
    for (let steps = 0; steps < 12; steps += 1) {
      if (at.startsWith(this.redirectUri)) return new URL(at).search.slice(1);
      let response = await go(at);
      if (response.status === 200) {
        const prompt = /name="prompt" value="(\w+)"/.exec(await response.text())?.[1] ?? 'login';
        response = await go(at, prompt === 'login' ? { prompt, login: subject, password: 'any' } : { prompt });
      }
      const next = response.headers.get('location');
      if (next === null) throw new Error(`the provider answered ${response.status}`);
      at = new URL(next, this.issuer).href;
    }
    throw new Error('the provider leads nowhere');
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
  }
}
