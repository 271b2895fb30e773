import type { FastifyBaseLogger } from 'fastify';

/** A logger that can say whether it writes lines of a level, as pino's can. */
interface LeveledLogger extends FastifyBaseLogger {
  isLevelEnabled?(level: string): boolean;
}

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/**
 * The logger of one request: the child of the server's logger with the request's id. Where requests themselves are not logged, the
 * child is made only for a line that is written: most requests write none.
 */
export function requestLogger(
  logger: FastifyBaseLogger,
  bindings: Record<string, unknown>,
  options: object,
): FastifyBaseLogger {
  const leveled: LeveledLogger = logger;
  if (leveled.isLevelEnabled?.('info') !== false) return logger.child(bindings, options);
  return new QuietRequestLog(leveled, bindings, options);
}

class QuietRequestLog implements FastifyBaseLogger {
  readonly #logger: LeveledLogger;
  readonly #bindings: Record<string, unknown>;
  readonly #options: object;
  #child: FastifyBaseLogger | undefined;

  constructor(logger: LeveledLogger, bindings: Record<string, unknown>, options: object) {
    this.#logger = logger;
    this.#bindings = bindings;
    this.#options = options;
  }

  get level(): string {
    return this.#logger.level;
  }

  fatal(...line: readonly unknown[]): void {
    this.#write('fatal', line);
  }

  error(...line: readonly unknown[]): void {
    this.#write('error', line);
  }

  warn(...line: readonly unknown[]): void {
    this.#write('warn', line);
  }

  info(...line: readonly unknown[]): void {
    this.#write('info', line);
  }

  debug(...line: readonly unknown[]): void {
    this.#write('debug', line);
  }

  trace(...line: readonly unknown[]): void {
    this.#write('trace', line);
  }

  silent(): void {}

  child(bindings: Record<string, unknown>, options?: object): FastifyBaseLogger {
    return this.#own().child(bindings, options);
  }

  /** The level may be changed while the server runs: it is asked for each line. */
  #write(level: Level, line: readonly unknown[]): void {
    if (this.#logger.isLevelEnabled?.(level) === false) return;
    const own = this.#own();
    Reflect.apply(own[level], own, line);
  }

  #own(): FastifyBaseLogger {
    this.#child ??= this.#logger.child(this.#bindings, this.#options);
    return this.#child;
  }
}
