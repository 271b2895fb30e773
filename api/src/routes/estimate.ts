import { digitCountOfFactorial, type FactorialPlan, leadingDigits, trailingZeroCount } from '@factorial/compute';
import type { Assessment, Capacity } from '../admission/capacity.ts';
import type { ApiServer } from '../api-types.ts';
import { requireFormat } from '../representation/require-format.ts';
import { type Estimate, estimateSchema } from '../schemas/estimate.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import { content, problemResponses } from '../schemas/responses.ts';

const leadingDigitCount = 20;

const schema = {
  operationId: 'estimateFactorial',
  tags: ['factorial'],
  summary: 'What n! is and would cost',
  description: 'Digits, trailing zeros and leading digits are exact, for any n; cost and `fits` are for this service.',
  querystring: numberQuery,
  response: {
    200: content('The estimate.', { 'application/json': estimateSchema }),
    ...problemResponses('invalid-number', 'missing-parameter', 'unknown-parameter', 'not-acceptable'),
  },
};

/** `GET /factorial/estimate?number=X` */
export function registerEstimate(app: ApiServer, capacity: Capacity): void {
  app.route({
    method: 'GET',
    url: '/factorial/estimate',
    schema,
    handler: async (request, reply) => {
      requireFormat(request, ['application/json']);
      const n = parseNumber(request.query.number);
      return reply.send(estimateOf(n, await capacity.assess(n), await capacity.planFromStored(n)));
    },
  });
}

function estimateOf(n: bigint, assessment: Assessment, fromStored: FactorialPlan | undefined): Estimate {
  const problem = assessment.fits ? undefined : assessment.problem;
  const plan = fromStored ?? assessment.plan;
  const from = fromStored?.from;
  return {
    number: String(n),
    digits: String(digitCountOfFactorial(n)),
    trailingZeros: String(trailingZeroCount(n)),
    leadingDigits: leadingDigits(n, leadingDigitCount),
    fits: assessment.fits,
    reason: problem?.message ?? null,
    largestPossible: problem?.members.largestPossible ?? null,
    engine: plan?.engine ?? null,
    threads: plan?.threads ?? null,
    storage: plan?.storage ?? null,
    storageReason: plan?.storageReason ?? null,
    memoryBytes: plan?.memoryBytes ?? null,
    scratchBytes: plan?.scratchBytes ?? null,
    ioBytes: plan?.ioBytes ?? null,
    estimatedSeconds: plan?.estimatedSeconds ?? null,
    from: from === undefined ? null : { number: from.n, used: from.used, reason: from.reason },
  };
}
