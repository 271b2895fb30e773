import { newMetricsRegistry } from '@factorial/backing/metrics';
import { Histogram } from '@prometheus-io/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerDurations } from './answer-durations.ts';

const options = { name: 'answers_seconds', help: 'Answers.', buckets: [0.001, 0.5, 2] };
const answer = fc.record({
  route: fc.constantFrom('/a', '/b'),
  method: fc.constantFrom('GET', 'HEAD'),
  status: fc.constantFrom(200, 404),
  // Sums of eighths are exact in any order.
  seconds: fc.oneof(
    fc.constantFrom(0, 0.5, 2),
    fc.nat(40).map((eighths) => eighths / 8),
  ),
});

describe('AnswerDurations', () => {
  it("tells what the library's histogram tells of the same answers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { maxLength: 40 }), async (answers) => {
        const [own, theirs] = [newMetricsRegistry(), newMetricsRegistry()];
        const durations = new AnswerDurations(options, own);
        const routes = { '/a': durations.ofRoute('/a'), '/b': durations.ofRoute('/b') };
        const histogram = new Histogram({ ...options, labelNames: ['method', 'route', 'status'], registers: [theirs] });
        for (const { route, method, status, seconds } of answers) {
          routes[route as '/a' | '/b'](method, status, seconds);
          histogram.observe({ method, route, status }, seconds);
        }
        expect(await own.metrics()).toBe(await theirs.metrics());
        expect(await own.getMetricsAsJSON()).toHaveLength(1);
      }),
    );
  });
});
