/** Buffers that reading or writing takes in turn: one is computed on while the other is on its way. */
export const overlapSlots = 2;

/** Calls `use` for every item in order; `load` of the next item, into the other slot, is under way meanwhile. */
export async function readAhead<Item>(
  items: readonly Item[],
  load: (item: Item, slot: number) => Promise<void>,
  use: (item: Item, slot: number) => void | Promise<void>,
): Promise<void> {
  let pending = items.length > 0 ? load(items[0]!, 0) : undefined;
  for (const [index, item] of items.entries()) {
    await pending;
    const next = index + 1;
    pending = next < items.length ? load(items[next]!, next % overlapSlots) : undefined;
    // It is awaited in the next turn; should `use` fail before that, its failure must not count as unhandled.
    pending?.catch(() => undefined);
    try {
      await use(item, index % overlapSlots);
    } catch (error) {
      await pending?.catch(() => undefined);
      throw error;
    }
  }
}

/** Writes that go on behind the computation: a slot may be filled again when `free(slot)` has resolved. */
export class WriteBehind {
  readonly #pending: Promise<unknown>[] = [];

  /** Resolves when what was written from this slot is written; rejects as the write did. */
  async free(slot: number): Promise<void> {
    await this.#pending[slot];
  }

  /** Starts writes from a slot that is free. */
  start(slot: number, writes: readonly Promise<void>[]): void {
    const all = Promise.all(writes);
    all.catch(() => undefined);
    this.#pending[slot] = all;
  }

  /** Resolves when everything is written. */
  async finish(): Promise<void> {
    const settled = await Promise.allSettled(this.#pending);
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  }
}
