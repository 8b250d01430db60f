import { Clock } from '@lethe/service';
import { Injectable } from '@nestjs/common';
import { CertificateService } from '../../certificates/certificate.service.ts';
import { CompletedRequestReader } from '../completed-request.reader.ts';
import { forgetPseudonyms, OpenRequestRepository } from '../open-request.repository.ts';
import type { OpenRequest } from '../request.ts';
import { StopPolicy } from '../stop.policy.ts';
import type { RequestStep } from './step.ts';

/** 10. The certificate is made, the request is completed, and what led from it to people is gone. */
@Injectable()
export class CertifyStep implements RequestStep {
  readonly stage = 'certify';

  constructor(
    private readonly requests: OpenRequestRepository,
    private readonly completed: CompletedRequestReader,
    private readonly certificates: CertificateService,
    private readonly stops: StopPolicy,
    private readonly clock: Clock,
  ) {}

  async run(request: OpenRequest): Promise<boolean> {
    // What stays blocked is said in the certificate, so the table that knows it must be fresh. Of an account nothing stays.
    if (!this.stops.fresh) return false;
    const { id, accountId } = request;
    const blocked = this.stops.countDoNotContact(accountId, await this.requests.pseudonyms(id));
    const completedAt = new Date(this.clock.now());
    const completed = await this.completed.read(request, blocked, completedAt);
    const certificate = await this.certificates.issue(completed);
    const next = { stage: 'close', state: 'completed', findings: { certificate, completedAt } } as const;
    return this.requests.move(request, next, (client) => forgetPseudonyms(client, id));
  }
}
