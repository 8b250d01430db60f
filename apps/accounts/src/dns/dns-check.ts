import { Injectable } from '@nestjs/common';
import { Semaphore } from '@lethe/service';
import type { Check, WantedRecord } from './dns-records.ts';
import { checkDmarc } from './dmarc.check.ts';
import { DnsClient, DnsSilence } from './dns.client.ts';
import { checkSpf } from './spf.check.ts';
import { tagList } from './tag-list.ts';

/** How long the records of one domain may take together. */
const LOOK_MS = 10_000;
const LOOKS_AT_ONCE = 8;
const LOOKS_WAITING = 64;

/** Looks in the DNS for what a domain is to have there: only who controls the zone can put it there. */
@Injectable()
export class DnsCheck {
  private readonly looks = new Semaphore(LOOKS_AT_ONCE, LOOKS_WAITING);

  constructor(private readonly dns: DnsClient) {}

  /** In the order of `records`. `unknown` where the DNS did not answer in time. Throws OverloadedError. */
  look(records: readonly WantedRecord[]): Promise<Check[]> {
    return this.looks.run(() => {
      const signal = AbortSignal.timeout(LOOK_MS);
      return Promise.all(records.map((record) => this.one(record, signal)));
    });
  }

  private async one(record: WantedRecord, signal: AbortSignal): Promise<Check> {
    try {
      return await unlessLate(this.compare(record, signal), signal);
    } catch (error) {
      if (error instanceof DnsSilence) return 'unknown';
      throw error;
    }
  }

  private async compare({ use, name, value }: WantedRecord, signal: AbortSignal): Promise<Check> {
    // A chain of questions ends with the time for it.
    const txt = (asked: string): Promise<string[]> => {
      if (signal.aborted) throw new DnsSilence('The DNS took too long');
      return this.dns.txt(asked);
    };
    switch (use) {
      case 'dkim':
        return found((await txt(name)).some((text) => sameKey(text, value)));
      case 'spf':
        return checkSpf(name, value, txt);
      case 'dmarc':
        return checkDmarc(name.replace('_dmarc.', ''), txt);
      case 'tracking':
        return found((await this.dns.cname(name)).some((host) => sameName(host, value)));
      case 'mx':
        return found((await this.dns.mx(name)).some((host) => sameName(host, value)));
    }
  }
}

const found = (is: boolean): Check => (is ? 'valid' : 'invalid');

function unlessLate<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new DnsSilence('The DNS took too long'));
    signal.addEventListener('abort', late, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}

const sameName = (a: string, b: string): boolean => plainName(a) === plainName(b);
const bare = (value: string | undefined): string | undefined => value?.replaceAll(/\s/g, '');
const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** RFC 6376 §3.6.1: the tags may stand in any order, with others; white space in a key means nothing. */
function sameKey(published: string, wanted: string): boolean {
  const [a, b] = [tagList(published), tagList(wanted)];
  const same = (tag: string, otherwise?: string): boolean =>
    (bare(a.get(tag)) ?? otherwise) === (bare(b.get(tag)) ?? otherwise);
  return same('p') && same('k', 'rsa');
}
