import type { Progress } from '@factorial/compute';

const redrawMs = 100;
/** What is over sooner shows no bar. */
const firstDrawMs = 300;
const barCells = 30;

/** A one-line progress bar with ETA, redrawn in place; only for terminals. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs = performance.now();
  #drawnMs: number;
  #visible = false;
  #closed = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#drawnMs = this.#startedMs + firstDrawMs - redrawMs;
  }

  /** Draw the state: not in the first 300 ms, then at most ten times a second. */
  update(progress: Progress): void {
    const nowMs = performance.now();
    if (this.#closed || nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    this.#visible = true;
    const text = renderProgress(progress, (nowMs - this.#startedMs) / 1000);
    this.#stream.write(`\r${text.slice(0, (this.#stream.columns ?? 80) - 1)}\x1b[K`);
  }

  /** Take the bar off the terminal for good, before anything else is written there. */
  close(): void {
    if (this.#visible) this.#stream.write('\r\x1b[K');
    this.#visible = false;
    this.#closed = true;
  }
}

/** The bar as text: `product  [=====>    ]  42 %  ETA 12 s`. The ETA is the run's own; without one it supposes work units of equal length. */
export function renderProgress({ phase, done, total, remainingSeconds }: Progress, elapsedSeconds: number): string {
  const share = total > 0 ? Math.min(done / total, 1) : 0;
  const filled = Math.round(share * barCells);
  const bar = `${'='.repeat(filled)}${filled < barCells ? '>' : ''}`.slice(0, barCells).padEnd(barCells);
  const left = remainingSeconds ?? (share > 0 ? (elapsedSeconds * (1 - share)) / share : undefined);
  const eta = left === undefined ? '…' : formatSeconds(left);
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
