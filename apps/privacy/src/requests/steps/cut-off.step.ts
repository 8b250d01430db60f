import { MAX_SUBJECT_IDS } from '@lethe/contracts';
import { VaultKeeper } from '@lethe/vault';
import { Injectable } from '@nestjs/common';
import { OpenRequestRepository, saveSubjects } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import type { RequestStep } from './step.ts';

/**
 * 2. The vault cuts the subjects off: from here on nothing of them is opened, sealed or sent, and who comes back is somebody new.
 * It also names those whom unfinished requests cut off under the same names, so that a second erasure of a person is not over
 * before the first one's data is gone.
 */
@Injectable()
export class CutOffStep implements RequestStep {
  readonly stage = 'cut-off';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly keeper: VaultKeeper,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    const { id, accountId } = request;
    const { cutOff, subjects } = await this.keeper.fence(id, accountId, await this.requests.pseudonyms(id));
    const named = await this.namable(subjects);
    if (named === undefined) return false;
    const next = { stage: 'fence', state: 'executing', findings: { cutOff } } as const;
    return this.requests.move(request, next, (client) => saveSubjects(client, id, named));
  }

  /** More than a command can name, because many are being erased already: waits until those are over. */
  private async namable<T extends { subject: string }>(subjects: readonly T[]): Promise<readonly T[] | undefined> {
    const ids = new Set(subjects.map(({ subject }) => subject));
    if (ids.size <= MAX_SUBJECT_IDS) return subjects;
    const over = await this.requests.finished([...ids]);
    if (ids.size - over.size > MAX_SUBJECT_IDS) return undefined;
    return subjects.filter(({ subject }) => !over.has(subject));
  }
}
