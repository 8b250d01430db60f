import { Injectable } from '@nestjs/common';
import type { Stage } from '../request.ts';
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

@Injectable()
export class RequestSteps {
  private readonly steps: ReadonlyMap<Stage, RequestStep>;

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
  ) {
    const all: RequestStep[] = [hold, cutOff, fence, barrier, survey, erase, release, destroy, verify, certify, close];
    this.steps = new Map(all.map((step) => [step.stage, step]));
  }

  of(stage: Stage): RequestStep {
    const step = this.steps.get(stage);
    if (!step) throw new Error(`Nothing is to be done at stage ${stage}`);
    return step;
  }
}
