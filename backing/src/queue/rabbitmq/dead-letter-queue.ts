import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel, Message } from 'amqplib';
import { TransientError } from '../../contracts/errors.ts';
import type { DeadLetter } from '../calculation-queue.ts';
import { closeChannel, openChannel } from './topology.ts';
import { decodeDeadLetter } from './wire-message.ts';

/**
 * The newest dead letters, newest first, without taking them: all are delivered unsettled to a consumer of this call, and go back to
 * their places when its channel closes. Meanwhile another process that looks sees fewer. Bound: the queue's length.
 */
export async function peekDeadLetters(
  model: ChannelModel,
  queue: string,
  limit: number,
  timeoutMs: number,
): Promise<readonly DeadLetter[]> {
  const channel = await openChannel(model);
  const patience = new AbortController();
  try {
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount === 0) return [];
    const letters: DeadLetter[] = [];
    const all = Promise.withResolvers<void>();
    // The channel also closes before anybody waits, when a call below fails: that call's fault is the one to tell.
    all.promise.catch(() => undefined);
    channel.on('close', () => all.reject(new TransientError('the broker closed the channel that reads dead letters')));
    let seen = 0;
    const onMessage = (message: Message | null) => {
      if (message === null)
        return all.reject(new TransientError('the dead letter queue was deleted while it was read'));
      seen += 1;
      const letter = decodeDeadLetter(message);
      if (letter) letters.push(letter);
      if (letters.length > limit) letters.shift();
      if (seen === messageCount) all.resolve();
    };
    await channel.prefetch(messageCount, false);
    await channel.consume(queue, onMessage);
    // Fewer arrive when another reader has some of them: then those that came are the answer.
    await Promise.race([all.promise, sleep(timeoutMs, undefined, { signal: patience.signal })]);
    return letters.reverse();
  } finally {
    patience.abort();
    // A channel that is closed already has given everything back.
    await closeChannel(channel).catch(() => undefined);
  }
}
