import { TransientError } from './errors.ts';

/**
 * What the promise settles with, else a `TransientError` after `timeoutMs`. The promise itself goes on: whoever calls gives its
 * resources up, and takes care of a result that comes too late through `onLate`.
 */
export async function withDeadline<Result>(
  pending: Promise<Result>,
  timeoutMs: number,
  what: string,
  onLate: (result: Result) => void = () => {},
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new TransientError(`expected ${what} within ${timeoutMs} ms, got no answer`));
    }, timeoutMs);
  });
  void pending.then(
    (result) => isLate && onLate(result),
    () => {},
  );
  try {
    return await Promise.race([pending, expired]);
  } finally {
    clearTimeout(timer);
  }
}
