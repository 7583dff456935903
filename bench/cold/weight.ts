import type { Metafile } from 'esbuild';

/** The most bytes that a cold start of `token` may read and compile before its handler can run. */
export const MOST_EAGER_BYTES = 232_970;

/** The size of a bundle, in bytes. */
export interface Weight {
  /** The whole bundle, as uploaded. */
  readonly total: number;
  /** The part that is read and compiled before the handler can run. */
  readonly eager: number;
  /** Bytes of the eager part by package or folder, the largest first. */
  readonly eagerBy: ReadonlyMap<string, number>;
  /** The packages and folders in the rest, loaded on demand. */
  readonly laterBy: ReadonlyMap<string, number>;
  /** Modules of Node that are imported before the handler can run. */
  readonly builtins: readonly string[];
}

/** Weighs a bundle by esbuild's account of it. */
export function weightOf({ outputs }: Metafile): Weight {
  const entries = Object.entries(outputs);
  // A chunk imported on demand has an entry point too. The function's own is the output called index.
  const first = entries.length === 1 ? entries[0] : entries.find(([path]) => /(?:^|\/)index\.mjs$/.test(path));
  const eager = new Set<string>();
  const builtins = new Set<string>();
  const walk = (path: string): void => {
    if (eager.has(path)) return;
    eager.add(path);
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'dynamic-import') continue;
      if (external === true) builtins.add(imported);
      else walk(imported);
    }
  };
  if (first !== undefined) walk(first[0]);
  const sum = (paths: readonly string[]) => paths.reduce((bytes, path) => bytes + (outputs[path]?.bytes ?? 0), 0);
  const later = entries.map(([path]) => path).filter((path) => !eager.has(path));
  return {
    total: sum([...eager, ...later]),
    eager: sum([...eager]),
    eagerBy: fill(outputs, [...eager]),
    laterBy: fill(outputs, later),
    builtins: [...builtins].sort(),
  };
}

function fill(outputs: Metafile['outputs'], paths: readonly string[]): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const path of paths) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[path]?.inputs ?? {})) {
      const name = nameOf(input);
      bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return new Map([...bytes].sort(([, a], [, b]) => b - a));
}

/** The package that a file belongs to, or the folder of ours. */
function nameOf(input: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
  return name ?? input.split('/').slice(0, 2).join('/');
}
