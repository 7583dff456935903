import { type DeclaredProvider, providerSchema } from './provider-schema.ts';
import type { ProviderProblem } from './provider-urls.ts';
import { isRecord } from './shape.ts';

type Path = readonly PropertyKey[];

/** A provider without its faulty parts. */
export interface FaultlessPart {
  readonly provider: DeclaredProvider;
  /** Reports whether a rule across keys found a fault that the parts left out cannot have caused. */
  isTelling(problem: ProviderProblem): boolean;
}

/** Each round leaves out at least one key of those that a provider has. */
const ROUNDS = 50;

/**
 * Finds the part of a provider that the schema takes, so that the rules across keys find in it what they would find
 * once the rest is mended. Undefined where too little is left.
 */
export function findFaultlessPart(input: unknown): FaultlessPart | undefined {
  const part = copy(input);
  const removed: Path[] = [];
  const names = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const parsed = providerSchema.safeParse(part);
    if (parsed.success) return { provider: parsed.data, isTelling: (problem) => isTelling(problem, removed, names) };
    const faulty = parsed.error.issues.flatMap((issue): Path[] =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
    );
    for (const path of faulty) {
      const at = removeAt(part, path, names);
      if (at === undefined) return undefined;
      removed.push(at);
    }
  }
  return undefined;
}

/** Copies plain data; a module may declare what is none, such as a function. */
function copy(input: unknown): unknown {
  try {
    return structuredClone(input);
  } catch {
    return undefined;
  }
}

/** Removes what is at a path, or what it lacks; of a list the whole. Gives where it was; undefined for the provider. */
function removeAt(part: unknown, path: Path, names: Set<string>): Path | undefined {
  const key = path.at(-1);
  if (key === undefined) return undefined;
  const above = path.slice(0, -1);
  const holder = above.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    part,
  );
  // Gone already, with something around it.
  if (holder === undefined) return path;
  if (!isRecord(holder) || !Object.hasOwn(holder, key)) return removeAt(part, above, names);
  names.add(String(key));
  collectKeys(Reflect.get(holder, key), names);
  Reflect.deleteProperty(holder, key);
  return path;
}

function collectKeys(value: unknown, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    names.add(key);
    collectKeys(inner, names);
  }
}

function isTelling({ path, message }: ProviderProblem, removed: readonly Path[], names: ReadonlySet<string>): boolean {
  const named = [...message.matchAll(/`\{?(\w+)\}?`/g)].map(([, name = '']) => name);
  if (named.some((name) => names.has(name))) return false;
  // A name that nothing gives is one whatever else is wrong there.
  if (message.startsWith('names ')) return true;
  return !removed.some((gone) => startsWith(gone, path) || startsWith(path, gone));
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, index) => path[index] === key);
}
