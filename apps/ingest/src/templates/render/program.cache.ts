import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { TemplateContent } from '@lethe/contracts';
import { CONFIG } from '@lethe/service';
import { Vault } from '@lethe/vault';
import { type IngestConfig } from '../../config.ts';
import { parseTemplate, type Program } from './program.ts';

/** A version as it is rendered. */
export interface Programs {
  readonly template: Program;
  readonly headers: Readonly<Record<keyof TemplateContent['headers'], Program | undefined>>;
}

interface Entry {
  readonly account: string;
  readonly programs: Programs;
  readonly weight: number;
}

/**
 * Templates that were read already, the last ones used. A template is in clear here: whoever asks has just opened its seal, entries
 * of an account go when its key does, all of them when that may have been missed, and all once in a while, for those that were
 * removed.
 */
@Injectable()
export class ProgramCache implements OnModuleInit {
  private readonly entries = new Map<string, Entry>();
  private held = 0;

  constructor(
    private readonly vault: Vault,
    @Inject(CONFIG) private readonly config: Pick<IngestConfig, 'TEMPLATES_CACHED_BYTES'>,
  ) {}

  onModuleInit(): void {
    this.vault.onRevoked((kind, id) => {
      if (kind === 'account') this.forget(id);
    });
    this.vault.onLapsed(() => this.clear());
  }

  /** `seal`: of the content, so that a changed version is another. @throws ApiError 400 for what cannot be read. */
  programsOf(account: string, seal: string, { template, headers }: TemplateContent): Programs {
    const known = this.entries.get(seal);
    if (known) {
      this.entries.delete(seal);
      this.entries.set(seal, known);
      return known.programs;
    }
    const header = (text: string | undefined): Program | undefined =>
      text === undefined ? undefined : parseTemplate(text, 'template');
    const programs: Programs = {
      template: parseTemplate(template, 'template'),
      headers: {
        From: header(headers.From),
        Subject: header(headers.Subject),
        'Reply-To': header(headers['Reply-To']),
      },
    };
    const all = [programs.template, ...Object.values(programs.headers)];
    const weight = 2 * seal.length + all.reduce((sum, program) => sum + (program?.weight ?? 0), 0);
    this.entries.set(seal, { account, programs, weight });
    this.held += weight;
    for (const [oldest] of this.entries) {
      if (this.held <= this.config.TEMPLATES_CACHED_BYTES) break;
      this.drop(oldest);
    }
    return programs;
  }

  clear(): void {
    this.entries.clear();
    this.held = 0;
  }

  get size(): number {
    return this.entries.size;
  }

  /** Octets, about. */
  get weight(): number {
    return this.held;
  }

  private forget(account: string): void {
    for (const [seal, entry] of this.entries) if (entry.account === account) this.drop(seal);
  }

  private drop(seal: string): void {
    this.held -= this.entries.get(seal)?.weight ?? 0;
    this.entries.delete(seal);
  }
}
