import { ComputeError } from '../errors.ts';

/** The destination failed: what was written is gone, the digits are not at fault. The same write may succeed elsewhere or later. */
export class SinkError extends ComputeError {
  readonly code: 'sink-failed' | 'sink-closed' | 'sink-full' | 'sink-byte-count';

  constructor(message: string, options?: ErrorOptions & { code?: SinkError['code'] }) {
    super(message, options);
    this.code = options?.code ?? 'sink-failed';
  }
}

const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Whether a system error says that there is no room for more bytes. */
export function isFull(error: Error): boolean {
  return 'code' in error && fullCodes.includes(String(error.code));
}
