import type { Progress } from '@factorial/compute';

const redrawMs = 100;
const barCells = 30;

/** A one-line progress bar with ETA, redrawn in place; only for terminals. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs = performance.now();
  #drawnMs = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Draw the state, at most ten times a second. */
  update(progress: Progress): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    this.#visible = true;
    const text = renderProgress(progress, (nowMs - this.#startedMs) / 1000);
    this.#stream.write(`\r${text.slice(0, (this.#stream.columns ?? 80) - 1)}\x1b[K`);
  }

  /** Take the bar off the terminal; safe to call more than once. */
  clear(): void {
    if (this.#visible) this.#stream.write('\r\x1b[K');
    this.#visible = false;
  }
}

/** The bar as text: `product  [=====>    ]  42 %  ETA 12 s`. The ETA supposes work units of equal length. */
export function renderProgress({ phase, done, total }: Progress, elapsedSeconds: number): string {
  const share = total > 0 ? Math.min(done / total, 1) : 0;
  const filled = Math.round(share * barCells);
  const bar = `${'='.repeat(filled)}${filled < barCells ? '>' : ''}`.slice(0, barCells).padEnd(barCells);
  const eta = share > 0 ? formatSeconds((elapsedSeconds * (1 - share)) / share) : '…';
  return `${phase.padEnd(8)} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ETA ${eta}`;
}

/** 0.4 → `0.4 s`, 75 → `1 min 15 s`, 7300 → `2 h 01 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}
