import { basic, until } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

/** A request as `GET /v1/privacy/requests/{id}` shows it, as far as tests look at it. */
export interface Erasure {
  readonly id: string;
  readonly state: string;
  readonly subjects: number;
  readonly received_at: string;
  readonly cut_off: string | null;
  readonly completed_at: string | null;
  readonly holders: readonly {
    readonly service: string;
    readonly state: string;
    readonly attempts: number;
    readonly found: Readonly<Record<string, number>>;
    readonly removed: Readonly<Record<string, number>>;
    readonly residual: Readonly<Record<string, number>>;
    readonly error: string | null;
  }[];
}

export interface Certificate {
  readonly certificate: string;
  readonly payload: Readonly<Record<string, unknown>> & {
    readonly jti: string;
    readonly cut_off: string;
    readonly keys_destroyed: unknown;
    readonly unreadable_at: string;
    readonly expunged_at: string | null;
    readonly kept: readonly unknown[];
    readonly stores: readonly { readonly store: string; readonly residual: unknown }[];
  };
}

export interface Order {
  readonly subjects: readonly { readonly address: string; readonly aliases?: readonly string[] }[];
  readonly do_not_contact?: 'keep' | 'remove';
  readonly override_reason?: string;
}

const ANSWER_MS = 60_000;

export class Erasures {
  readonly #url: string;
  readonly #key: string;

  /** `key`: of an account, with the right to order erasures. */
  constructor(own: OwnPlatform, key = own.demo.privacyKey) {
    this.#url = `${own.platform.gateway}/v1/privacy/requests`;
    this.#key = key;
  }

  /** Throws, with what was answered, unless the order was taken. */
  async order(order: Order, idempotencyKey?: string): Promise<Erasure & { readonly salts: readonly string[] }> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        authorization: basic(this.#key),
        'content-type': 'application/json',
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      body: JSON.stringify({ type: 'erasure', ...order }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status !== 202) throw new Error(`an order was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Erasure & { salts: readonly string[] };
  }

  /** As a patient client: what asks for another try gets one, under the same key. */
  async orderUnderFire(order: Order, idempotencyKey: string, withinMs: number): Promise<Erasure> {
    let taken: Erasure | undefined;
    let last = 'nothing';
    const tries = async (): Promise<boolean> => {
      try {
        taken = await this.order(order, idempotencyKey);
      } catch (error) {
        last = (error as Error).message;
      }
      return taken !== undefined;
    };
    await until(tries, withinMs, 500);
    if (!taken) throw new Error(`the order was not taken within ${withinMs / 1_000} s, last: ${last}`);
    return taken;
  }

  async show(id: string): Promise<Erasure> {
    const response = await this.#get(`${this.#url}/${id}`);
    if (response.status !== 200) throw new Error(`a request was answered ${response.status}`);
    return (await response.json()) as Erasure;
  }

  /** Throws, saying how far it has come, if that does not come in time. */
  async completed(id: string, withinMs: number): Promise<Erasure> {
    let shown: Erasure | undefined;
    const looks = async (): Promise<boolean> => {
      shown = await this.show(id);
      return shown.state === 'completed';
    };
    if (!(await until(looks, withinMs, 200)) || !shown) {
      throw new Error(`not completed after ${withinMs / 1_000} s: ${JSON.stringify(shown)}`);
    }
    return shown;
  }

  async certificate(id: string): Promise<Certificate> {
    const response = await this.#get(`${this.#url}/${id}/certificate`);
    if (response.status !== 200) throw new Error(`a certificate was answered ${response.status}`);
    return (await response.json()) as Certificate;
  }

  /** From order to certificate. */
  async erase(
    order: Order,
    withinMs = 180_000,
  ): Promise<{ erasure: Erasure; certificate: Certificate; tookMs: number }> {
    const begin = performance.now();
    const { id } = await this.order(order);
    const erasure = await this.completed(id, withinMs);
    const certificate = await this.certificate(id);
    return { erasure, certificate, tookMs: performance.now() - begin };
  }

  #get(url: string): Promise<Response> {
    return fetch(url, { headers: { authorization: basic(this.#key) }, signal: AbortSignal.timeout(ANSWER_MS) });
  }
}
