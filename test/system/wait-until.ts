import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;
/** Below the time-out of a test, so that the error can name what never came. */
const GIVEN_UP_AFTER_MS = 45_000;

/**
 * Looks again and again until `look` gives something, and returns it; throws, naming `what`, when it is given up.
 * `withinMs` is for where coming in time is what is tested.
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  { withinMs = GIVEN_UP_AFTER_MS }: { readonly withinMs?: number } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`Within ${withinMs} ms there was no ${what}.`);
    await sleep(LOOK_EVERY_MS);
  }
}
