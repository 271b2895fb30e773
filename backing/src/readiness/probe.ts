import type { ReadinessCheck } from './readiness.ts';

/** What one check found. */
export interface ProbeFinding {
  readonly name: string;
  readonly ok: boolean;
  readonly required: boolean;
  /** Class of the error, or that there was no answer; the words of errors may hold addresses. */
  readonly error: string | null;
}

/** Runs one readiness check, at most one at a time: however often it is asked, a service that hangs has one ping waiting. */
export class Probe {
  readonly #check: ReadinessCheck;
  #underWay: Promise<string | null> | undefined;

  constructor(check: ReadinessCheck) {
    this.#check = check;
  }

  /** Never rejects; takes at most `timeoutMs`. */
  async run(timeoutMs: number): Promise<ProbeFinding> {
    this.#underWay ??= this.#ping().finally(() => {
      this.#underWay = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, `no answer within ${timeoutMs} ms`);
    });
    const error = await Promise.race([this.#underWay, timeout]);
    clearTimeout(timer);
    return { name: this.#check.name, ok: error === null, required: this.#check.required, error };
  }

  async #ping(): Promise<string | null> {
    try {
      await this.#check.ping();
      return null;
    } catch (error) {
      return error instanceof Error ? error.name : 'Error';
    }
  }
}
