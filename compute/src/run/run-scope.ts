/** Why a run that has ended has no digits any more; one for all runs, since a stack for each takes longer than a tiny factorial. */
export const runIsOver = new DOMException('the run is over and its digits are gone', 'AbortError');

/**
 * The life of one run: a signal that everything in it obeys, aborted by the caller's own signal or by the run's end, and what is
 * to be disposed at that end. Disposing twice is fine and waits for the first.
 */
export class RunScope implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #onCallerAbort = () => this.#controller.abort(this.#callerSignal?.reason);
  readonly #resources = new AsyncDisposableStack();
  #closing: Promise<void> | undefined;

  /** Throws the signal's reason when it is aborted already. */
  constructor(callerSignal: AbortSignal | undefined) {
    callerSignal?.throwIfAborted();
    this.#callerSignal = callerSignal;
    callerSignal?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Dispose this at the end of the run. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    return this.#resources.use(resource);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
    this.#controller.abort(runIsOver);
    return this.#resources.disposeAsync();
  }
}
