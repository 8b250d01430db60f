import { PRIVACY_COMMANDS, PRIVACY_REPLIES, type PrivacyCommand, type PrivacyReply } from '@lethe/contracts';
import { Consume, done, Publisher, type ConsumedRecord, type Outcome } from '@lethe/kafka';
import { Clock, isUnavailable, Log, OverloadedError } from '@lethe/service';
import type { HolderService } from '@lethe/contracts';
import type { ClosingScope, PersonalDataHolder, Scope } from './holder.ts';

/** Waits for stores dominate (Elasticsearch's pass takes half a minute), and requests must not wait for each other. */
const AT_ONCE = 32;

type ScopedCommand = Extract<PrivacyCommand, { step: 'fence' | 'erase' | 'verify' }>;
type Closing = NonNullable<ScopedCommand['closing']>;
type Answer<R = PrivacyReply> = R extends PrivacyReply ? Omit<R, 'requestId' | 'service' | 'attempt' | 'at'> : never;

/**
 * Takes commands, has them done by the service's holder, answers. The offset moves when Kafka has the answer: a kill repeats the
 * command. The same step asked again while it is still at work joins the work, and gets an answer of its own.
 */
export class HolderConsumer {
  private readonly atWork = new Map<string, Promise<Answer>>();

  constructor(
    private readonly service: HolderService,
    private readonly holder: PersonalDataHolder,
    private readonly publisher: Publisher,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  @Consume(PRIVACY_COMMANDS, { concurrency: AT_ONCE })
  async handle({ value: command }: ConsumedRecord<typeof PRIVACY_COMMANDS>): Promise<Outcome> {
    if (command.step === 'in-flight' && !this.holder.inFlight) return done();
    const { requestId, attempt, step } = command;
    const answer = await this.once(command);
    const reply = { ...answer, requestId, attempt, service: this.service, at: this.clock.now() } as PrivacyReply;
    const id = `${requestId}/${this.service}/${step}/${attempt}`;
    await this.publisher.publish(PRIVACY_REPLIES, [{ key: requestId, value: reply, id, type: `privacy.${step}` }]);
    return done();
  }

  private once(command: PrivacyCommand): Promise<Answer> {
    // Each of these asks about other messages.
    if (command.step === 'in-flight') return this.answer(command);
    const key = `${command.requestId} ${command.step}`;
    let work = this.atWork.get(key);
    if (!work) {
      work = this.answer(command).finally(() => this.atWork.delete(key));
      this.atWork.set(key, work);
    }
    return work;
  }

  private async answer(command: PrivacyCommand): Promise<Answer> {
    try {
      return await this.work(command);
    } catch (error) {
      this.log.warn('privacy.command-failed', { requestId: command.requestId, reason: command.step, error });
      return { step: 'failed', outcome: 'failed', of: command.step, error: codeOf(error), retryable: true };
    }
  }

  private async work(command: PrivacyCommand): Promise<Answer> {
    switch (command.step) {
      case 'fence':
      case 'erase':
      case 'verify':
        return command.closing ? this.close(command, command.closing) : this.workOnPeople(command);
      case 'in-flight':
        return {
          step: 'in-flight',
          outcome: 'done',
          messages: (await this.holder.inFlight?.(command.messages)) ?? [],
        };
      case 'measure':
        return { step: 'measure', outcome: 'done', readings: await this.holder.measure() };
    }
  }

  private async workOnPeople(command: ScopedCommand): Promise<Answer> {
    const scope = scopeOf(command);
    const done = { outcome: 'done', subjects: command.subjects.length } as const;
    switch (command.step) {
      case 'fence':
        await this.holder.fence(scope);
        return { step: 'fence', ...done };
      case 'erase': {
        const erased = await this.holder.erase({ ...scope, doNotContact: command.doNotContact });
        return { step: 'erase', ...done, ...erased };
      }
      case 'verify':
        return { step: 'verify', ...done, residual: await this.holder.verify(scope) };
    }
  }

  private async close({ step, requestId, accountId, cutOff }: ScopedCommand, { domains }: Closing): Promise<Answer> {
    const scope: ClosingScope = { requestId, accountId, domains, cutOff };
    const done = { outcome: 'done', subjects: 0, closing: true } as const;
    switch (step) {
      case 'fence':
        await this.holder.fenceAccount(scope);
        return { step, ...done };
      case 'erase':
        return { step, ...done, ...(await this.holder.eraseAccount(scope)) };
      case 'verify':
        return { step, ...done, residual: await this.holder.verifyAccount(scope) };
    }
  }
}

const scopeOf = ({ requestId, accountId, subjects, cutOff }: ScopedCommand): Scope => ({
  requestId,
  accountId,
  subjects: new Set(subjects),
  cutOff,
});

/** What is shown of a failure: a code, never text, which could quote a record. */
function codeOf(error: unknown): string {
  if (error instanceof OverloadedError) return 'busy';
  if (isUnavailable(error)) return 'store-away';
  return 'fault';
}
