/** Runs one load per key at a time; whoever asks meanwhile waits for the same result or the same rejection. */
export class SingleFlight<Value> {
  readonly #inFlight = new Map<string, Promise<Value>>();

  /** The result of the load under way for this key, else of a new one. */
  async run(key: string, load: () => Promise<Value>): Promise<Value> {
    const underWay = this.#inFlight.get(key);
    if (underWay) return await underWay;
    const started = load().finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, started);
    return await started;
  }
}
