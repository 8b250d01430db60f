import type { OpenRequest, Stage } from '../request.ts';

/** One piece of a request's way. It may be begun again at any time, after a kill in its midst too, and then finishes what is left. */
export interface RequestStep {
  readonly stage: Stage;
  /** True: the request has moved, look at it again. False: something is to be waited for; it is called again at the next look. */
  run(request: OpenRequest): Promise<boolean>;
}
