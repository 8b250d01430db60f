import { Injectable } from '@nestjs/common';
import { ClosingCutOffStep } from '../../closings/closing.cut-off.step.ts';
import { ClosingHoldStep } from '../../closings/closing.hold.step.ts';
import { ClosingReleaseStep } from '../../closings/closing.release.step.ts';
import type { OpenRequest, RequestType, Stage } from '../request.ts';
import { BarrierStep } from './barrier.step.ts';
import { CertifyStep } from './certify.step.ts';
import { CloseStep } from './close.step.ts';
import { CutOffStep } from './cut-off.step.ts';
import { DestroyStep } from './destroy.step.ts';
import { EraseStep } from './erase.step.ts';
import { FenceStep } from './fence.step.ts';
import { HoldStep } from './hold.step.ts';
import { ReleaseStep } from './release.step.ts';
import type { RequestStep } from './step.ts';
import { SurveyStep } from './survey.step.ts';
import { VerifyStep } from './verify.step.ts';

/** A request's way, in order. */
export const STEPS = [
  HoldStep,
  CutOffStep,
  FenceStep,
  BarrierStep,
  SurveyStep,
  EraseStep,
  ReleaseStep,
  DestroyStep,
  VerifyStep,
  CertifyStep,
  CloseStep,
];

/** Those in which the way of a closed account is another. */
export const CLOSING_STEPS = [ClosingHoldStep, ClosingCutOffStep, ClosingReleaseStep];

@Injectable()
export class RequestSteps {
  private readonly steps: Readonly<Record<RequestType, ReadonlyMap<Stage, RequestStep>>>;

  constructor(
    hold: HoldStep,
    cutOff: CutOffStep,
    fence: FenceStep,
    barrier: BarrierStep,
    survey: SurveyStep,
    erase: EraseStep,
    release: ReleaseStep,
    destroy: DestroyStep,
    verify: VerifyStep,
    certify: CertifyStep,
    close: CloseStep,
    closingHold: ClosingHoldStep,
    closingCutOff: ClosingCutOffStep,
    closingRelease: ClosingReleaseStep,
  ) {
    const all: RequestStep[] = [hold, cutOff, fence, barrier, survey, erase, release, destroy, verify, certify, close];
    const byStage = (steps: readonly RequestStep[]) => new Map(steps.map((step) => [step.stage, step]));
    this.steps = {
      erasure: byStage(all),
      'account-erasure': byStage([...all, closingHold, closingCutOff, closingRelease]),
    };
  }

  of({ type, stage }: OpenRequest): RequestStep {
    const step = this.steps[type].get(stage);
    if (!step) throw new Error(`Nothing is to be done at stage ${stage}`);
    return step;
  }
}
