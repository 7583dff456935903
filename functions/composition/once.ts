/**
 * Returns a function that makes something at its first call, and gives the same at every other. What fails is made again
 * at the next call: an instance whose file could not be read at one time must not fail for good.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
