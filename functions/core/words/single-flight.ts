/**
 * Lets overlapping callers share one piece of work. `shared` says whether another caller began it. Nothing is kept once
 * it has ended.
 */
export function createSingleFlight<T>(): (
  key: string,
  work: () => Promise<T>,
) => Promise<{ value: T; shared: boolean }> {
  const flights = new Map<string, Promise<T>>();

  return async (key, work) => {
    const under = flights.get(key);
    if (under !== undefined) return { value: await under, shared: true };
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return { value: await flight, shared: false };
  };
}
