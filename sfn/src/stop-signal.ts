/**
 * Aborts when this process is told to stop, or when the process that started it over a channel goes away: a task whose
 * state machine is gone would finish work that nobody asks for. Does not keep the process running.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Error('the task is told to stop'));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('disconnect', stop);
  process.channel?.unref();
  return stopping.signal;
}
