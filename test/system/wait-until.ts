import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/** Looks again and again until `look` gives something, and returns it; throws, naming `what`, after `withinMs`. */
export async function waitUntil<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`Within ${withinMs} ms there was no ${what}.`);
    await sleep(LOOK_EVERY_MS);
  }
}
