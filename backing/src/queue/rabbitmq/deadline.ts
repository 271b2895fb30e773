/** What the work comes to, or the fault once `ms` are over. The work itself goes on: whoever started it ends it. */
export async function withinMs<Result>(work: Promise<Result>, ms: number, fault: () => Error): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(fault()), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
