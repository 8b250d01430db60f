const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1_500;

/** Asks as a patient client does: what is not a 200 is asked again a while later. */
export class PatientClient {
  /** Tries that were answered otherwise or not at all, by status or error. */
  readonly refused = new Map<string, number>();
  longestWaitMs = 0;
  readonly #patienceMs: number;

  constructor(patienceMs = 60_000) {
    this.#patienceMs = patienceMs;
  }

  /** `call` makes try number `tries`, from 1. Resolves with what the 200 said, and the number of the try that was answered with it. */
  async ask(what: string, call: (tries: number) => Promise<Response>): Promise<{ text: string; tries: number }> {
    const begin = performance.now();
    for (let tries = 1, waitMs = FIRST_WAIT_MS; ; tries += 1, waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const answer = await answered(call(tries));
      if (answer?.status === 200) {
        this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - begin);
        return { text: answer.text, tries };
      }
      // Only what asks for another try may be met here; a 4xx would be a fault of the platform.
      if (answer && answer.status !== 503) throw new Error(`${what} was answered with ${answer.status}`);
      const refusal = answer ? '503' : 'no answer';
      this.refused.set(refusal, (this.refused.get(refusal) ?? 0) + 1);
      if (performance.now() - begin > this.#patienceMs) {
        throw new Error(`${what} was not taken within ${this.#patienceMs / 1_000} s, last: ${refusal}`);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

async function answered(response: Promise<Response>): Promise<{ status: number; text: string } | undefined> {
  try {
    const { status } = await response;
    return { status, text: await (await response).text() };
  } catch {
    return undefined;
  }
}
