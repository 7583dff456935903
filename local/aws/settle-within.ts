/** Resolves when all of `work` has ended, well or badly, or after `ms` milliseconds. */
export async function settleWithin(work: Iterable<Promise<unknown>>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const cutOff = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.allSettled(work), cutOff]);
  clearTimeout(timer);
}
