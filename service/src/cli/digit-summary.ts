const shownDigits = 60;

/** Keeps the first and last digits of a stream while it passes: a result too long to show, in bounded memory. */
export class DigitSummary {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);

  update(chunk: Uint8Array): void {
    if (this.#head.length < shownDigits) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, shownDigits - this.#head.length)]);
    }
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-shownDigits)]).subarray(-shownDigits);
  }

  /** `first digits … last digits`. */
  toString(): string {
    return `${this.#head.toString('latin1')} … ${this.#tail.toString('latin1')}`;
  }
}

/** 65657060n → `65,657,060`. */
export function groupThousands(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 536870912 → `512.0 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const exponent = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return exponent === 0 ? `${bytes} B` : `${(bytes / 1024 ** exponent).toFixed(1)} ${units[exponent]}`;
}
