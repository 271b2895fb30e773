import type { Settings } from '../contracts/settings.ts';
import type { CalculationQueue } from '../queue/calculation-queue.ts';
import { createMemoryCalculationQueue } from '../queue/memory-calculation-queue.ts';
import { createRabbitmqCalculationQueue } from '../queue/rabbitmq/rabbitmq-calculation-queue.ts';

/** The part of a logger that the queue uses. */
export interface QueueLogger {
  warn(details: object, message: string): void;
}

/** The queue the settings name: the broker of `AMQP_URL`, or memory of this process. */
export function openQueue(settings: Settings, log: QueueLogger): CalculationQueue {
  const bounds = { maxLength: settings.QUEUE_MAX_MESSAGES, maxDeliveries: settings.DELIVERIES_MAX };
  const { AMQP_URL: url, DEAD_LETTERS_MAX: maxDeadLetters } = settings;
  if (url === undefined) return createMemoryCalculationQueue({ ...bounds, maxDeadLetters });
  return createRabbitmqCalculationQueue({
    ...bounds,
    url,
    exchange: settings.AMQP_EXCHANGE,
    // The broker keeps at least one: a queue of length 0 is none.
    maxDeadLetters: Math.max(1, maxDeadLetters),
    onFault: (fault) =>
      log.warn({ reason: fault instanceof Error ? fault.message : String(fault) }, 'a fault of the message broker'),
  });
}
