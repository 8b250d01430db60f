import { Inject, Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { ApiError, CONFIG, isUnavailable } from '@lethe/service';
import { ForgottenError, VaultUnavailableError } from '@lethe/vault';
import { type IngestConfig } from '../../config.ts';
import type { Form } from '../../form/form.parser.ts';
import { COPIES } from '../../form/memory.budget.ts';
import { invalid } from '../../form/refusals.ts';
import { assertOptionsFit } from '../../messages/options.ts';
import { TemplateSeals } from '../template.seals.ts';
import { TemplatesRepository } from '../templates.repository.ts';
import { render, RenderLimitError } from './evaluator.ts';
import type { Into, Rendered } from './into.ts';
import { plainText } from './plain.text.ts';
import { ProgramCache, type Programs } from './program.cache.ts';
import type { Program } from './program.ts';
import { isSpent, readTemplateFields, type TemplateFields } from './template.fields.ts';

interface Sendable {
  readonly programs: Programs;
  /** Its tag. */
  readonly version: string;
}

/** Renders stored templates into messages, before anything else reads them. */
@Injectable()
export class MessageTemplates {
  constructor(
    private readonly templates: TemplatesRepository,
    private readonly seals: TemplateSeals,
    private readonly programs: ProgramCache,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {}

  /**
   * The form with what its template renders, in place of the fields that ask for it; as it is where it has no template. `more`: see
   * `MemoryBudget`.
   * @throws ApiError 400 naming the field.
   */
  async applied(form: Form, domain: DomainSettings, into: Into, more: (octets: number) => void): Promise<Form> {
    const asked = readTemplateFields(form);
    if (!asked) return form;
    // Before any work is done for them.
    assertOptionsFit(form);
    const { programs, version } = await this.programsOf(domain, asked.name, asked.tag);
    const rendered = this.rendered(asked, programs, more);
    const given = into({ ...form, fields: new Map([...form.fields].filter(([name]) => !isSpent(name))) }, rendered);
    return { ...given, template: { name: asked.name.toLowerCase(), version, variables: asked.variables } };
  }

  private rendered(
    { withText, variables }: TemplateFields,
    programs: Programs,
    more: (octets: number) => void,
  ): Rendered {
    let left = this.config.TEMPLATE_RENDERED_MAX_BYTES;
    const limits = { steps: this.config.TEMPLATE_MAX_STEPS, length: left };
    const written = (program: Program, as: 'html' | 'text'): string => {
      const text = this.limited(() => render(program, variables, as, limits));
      left -= Buffer.byteLength(text);
      if (left < 0) throw this.tooLong();
      return text;
    };
    const header = (program: Program | undefined): string | undefined =>
      program && (written(program, 'text').trim() || undefined);
    const html = written(programs.template, 'html');
    const text = withText ? plainText(html) : undefined;
    more(COPIES * (html.length + (text?.length ?? 0)));
    return {
      html,
      text,
      from: header(programs.headers.From),
      subject: header(programs.headers.Subject),
      replyTo: header(programs.headers['Reply-To']),
    };
  }

  private async programsOf(domain: DomainSettings, name: string, tag: string | undefined): Promise<Sendable> {
    const { accountId, domainId } = domain;
    try {
      const nameHash = await this.seals.nameHash(accountId, name);
      const tagHash = tag === undefined ? undefined : await this.seals.tagHash(accountId, tag);
      const found = await this.templates.sendable(domainId, nameHash, tagHash);
      if (!found) throw invalid('template', 'the domain has no template of this name');
      const { version, content, about } = found;
      if (version === null || content === null || about === null) {
        if (tag !== undefined) throw invalid('t:version', 'the template has no version of this tag');
        throw invalid('template', 'it has no version yet');
      }
      const [opened, versionTag] = await Promise.all([
        this.seals.content(accountId, version, content),
        this.seals.tag(accountId, version, about),
      ]);
      return { programs: this.programs.programsOf(accountId, content, opened), version: versionTag };
    } catch (error) {
      throw unavailable(error);
    }
  }

  private limited(work: () => string): string {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RenderLimitError)) throw error;
      if (error.limit === 'length') throw this.tooLong();
      throw invalid('template', `it takes more than ${this.config.TEMPLATE_MAX_STEPS} steps with these variables`);
    }
  }

  private tooLong(): ApiError {
    const most = this.config.TEMPLATE_RENDERED_MAX_BYTES;
    return invalid('template', `it becomes larger than ${most} octets with these variables`);
  }
}

/** As where a message is committed: nothing was kept, try again. */
function unavailable(error: unknown): unknown {
  if (error instanceof VaultUnavailableError || error instanceof ForgottenError || isUnavailable(error)) {
    return new ApiError(503, 'a store is not available: try again', { retryAfterSeconds: 2 });
  }
  return error;
}
