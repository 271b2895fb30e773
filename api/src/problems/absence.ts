import type { FactorialRow } from '@factorial/backing';
import { linksOf } from '../schemas/metadata.ts';
import { ApiProblem } from './problem.ts';

/** Why there are no digits to serve for n: never requested, not finished, or failed. All of them are 404. */
export function absenceProblem(n: bigint, row: FactorialRow | undefined, retryAfter: number): ApiProblem {
  if (row === undefined) return notRequested(n);
  const number = String(n);
  const links = { metadata: linksOf(n).self, events: linksOf(n).events };
  if (row.status === 'failed') {
    const reason = row.error ?? { code: 'unknown', message: 'no reason was recorded' };
    const detail = `attempt ${row.attempt} for ${n}! ended in ${reason.code}: ${reason.message}; POST /factorial {"number": "${n}"} starts a new attempt`;
    return new ApiProblem('calculation-failed', detail, { number, reason: { ...reason }, links });
  }
  const detail = `${n}! is not finished yet; ask again in ${retryAfter} s, or follow ${links.events}`;
  return new ApiProblem('in-progress', detail, { number, links }, { headers: { 'retry-after': String(retryAfter) } });
}

/** The problem for an n nobody asked for. */
export function notRequested(n: bigint): ApiProblem {
  return new ApiProblem(
    'not-requested',
    `${n}! was never requested; request it with POST /factorial {"number": "${n}"}`,
    {
      number: String(n),
      links: { request: '/factorial', estimate: linksOf(n).estimate },
    },
  );
}
