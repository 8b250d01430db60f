import { createHash } from 'node:crypto';
import { until } from '@lethe/testing';
import { expect } from 'vitest';
import type { Answer, Setting, WholeAnswer, Who } from './setting.ts';

export const PASSWORD = 'correct horse battery';

/** Each call from a network of its own: failures are counted by network, too. */
let network = 0;
export const somewhere = (): string => `198.51.${(network += 1)}.1`;
export const anybody = (from = somewhere()): Who => ({ account: 'nobody', scopes: [], from });

export const form = (fields: Record<string, string>): URLSearchParams => new URLSearchParams(fields);
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');
export const soon = async (condition: () => boolean): Promise<void> =>
  expect(await until(condition, 30_000, 20)).toBe(true);
/** Of the session that an answer begins. */
export const tokenOf = ({ headers }: WholeAnswer): string | undefined =>
  /__Host-lethe-session=([\w-]{43});/.exec(String(headers['set-cookie']))?.[1];

/** What users do, and what is done for them. */
export class UserCalls {
  constructor(private readonly setting: Setting) {}

  invite(who: Who, email: string, role = 'developer'): Promise<Answer> {
    return this.setting.call(who, 'POST', '/v1/users', form({ email, name: 'Ms Secret', role }));
  }

  accept(token: string, password = PASSWORD): Promise<Answer> {
    return this.setting.call(anybody(), 'POST', '/v1/users/invitation', form({ token, password }));
  }

  signIn(
    email: string,
    password = PASSWORD,
    from = somewhere(),
    more: Record<string, string> = {},
  ): Promise<WholeAnswer> {
    return this.setting.exchange(anybody(from), 'POST', '/v1/sessions', form({ email, password, ...more }));
  }

  /** Somebody who has chosen a password; their id. */
  async newUser(who: Who, email: string, role = 'developer'): Promise<string> {
    const invited = await this.invite(who, email, role);
    if (invited.status !== 200) throw new Error(`not invited: ${invited.body['message']}`);
    const { body } = invited;
    const { status } = await this.accept(body['invitation'].token);
    if (status !== 200) throw new Error(`the invitation was answered ${status}`);
    return body['user'].id as string;
  }

  sessionsOf(account: string) {
    return this.setting.accounts.get(account)?.sessions ?? [];
  }

  /** As the gateway would call for them once they have signed in. */
  async signedIn(email: string, account: string, more: Record<string, string> = {}): Promise<Who & { token: string }> {
    return this.begun(await this.signIn(email, PASSWORD, somewhere(), more), account);
  }

  /** Likewise, with the session that an answer begins. */
  async begun(answer: WholeAnswer, account: string): Promise<Who & { token: string }> {
    const token = tokenOf(answer);
    if (token === undefined) throw new Error(`no session began: ${answer.status}`);
    const session = () => this.sessionsOf(account).find(({ hash }) => hash === sha256(token));
    await soon(() => session() !== undefined);
    const { id, scopes } = session()!;
    return { account, scopes, keyId: id, token };
  }
}
