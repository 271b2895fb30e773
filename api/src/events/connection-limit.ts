/** Counts what is open, in all and per client, against two bounds. */
export class ConnectionLimit {
  readonly #maxConnections: number;
  readonly #maxPerClient: number;
  readonly #perClient = new Map<string, number>();
  #open = 0;

  constructor(maxConnections: number, maxPerClient: number) {
    this.#maxConnections = maxConnections;
    this.#maxPerClient = maxPerClient;
  }

  /** A place for one connection, to be given back exactly once; undefined when there is none. */
  enter(client: string): (() => void) | undefined {
    const own = this.#perClient.get(client) ?? 0;
    if (this.#open >= this.#maxConnections || own >= this.#maxPerClient) return undefined;
    this.#open += 1;
    this.#perClient.set(client, own + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#open -= 1;
      const rest = (this.#perClient.get(client) ?? 1) - 1;
      if (rest === 0) this.#perClient.delete(client);
      else this.#perClient.set(client, rest);
    };
  }
}
