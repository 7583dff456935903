/**
 * Functions that Node 24 has and an older one has not. The build puts them in the place of Node's own in what people
 * install (`OLDER_NODE`); no global is changed, and what a bundle does not use is not in it.
 */

export function groupBy<Key, Value>(values: Iterable<Value>, keyOf: (value: Value, index: number) => Key) {
  const groups = new Map<Key, Value[]>();
  let index = 0;
  for (const value of values) {
    const key = keyOf(value, index++);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

export function withResolvers<Value>() {
  let settle: [(value: Value | PromiseLike<Value>) => void, (reason?: unknown) => void] | undefined;
  const promise = new Promise<Value>((...both) => {
    settle = both;
  });
  const [resolve, reject] = settle ?? [() => undefined, () => undefined];
  return { promise, resolve, reject };
}

export function tryCall<Args extends readonly unknown[], Value>(call: (...args: Args) => Value, ...args: Args) {
  return new Promise<Awaited<Value>>((resolve) => resolve(call(...args) as Awaited<Value>));
}

/** Escapes for use in a pattern where it follows, and is followed by, nothing that would join it. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The part of `AsyncDisposableStack` that the broker uses. */
export class DisposalStack {
  readonly #disposals: (() => unknown)[] = [];

  adopt<Value>(value: Value, dispose: (value: Value) => unknown): Value {
    this.#disposals.push(() => dispose(value));
    return value;
  }

  async disposeAsync(): Promise<void> {
    const failures: unknown[] = [];
    for (const dispose of this.#disposals.splice(0).reverse()) {
      try {
        await dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** What esbuild replaces, by the name that it gets from this file. */
export const OLDER_NODE: Readonly<Record<string, string>> = {
  'Map.groupBy': 'groupBy',
  'Promise.withResolvers': 'withResolvers',
  'Promise.try': 'tryCall',
  'RegExp.escape': 'escapePattern',
  AsyncDisposableStack: 'DisposalStack',
};
