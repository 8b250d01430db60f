import { Injectable } from '@nestjs/common';

/** The time, injected so that a retention test can move it. Milliseconds since the epoch. */
@Injectable()
export class Clock {
  now(): number {
    return Date.now();
  }
}
