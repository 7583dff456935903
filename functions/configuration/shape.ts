import * as z from 'zod';
import { type Problem, renderPath } from './configuration-error.ts';

const DEEPEST = 16;

/** A zod object that refuses unknown keys and names the known ones; `what` says what it is, as in "a trust entry". */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape, what: string) {
  const known = Object.keys(shape)
    .map((key) => `\`${key}\``)
    .join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? `is not a key of ${what}. Its keys: ${known}`
        : `must be ${what}, an object with ${known}`,
  });
}

export interface CheckedShape<Value> {
  /** The whole with its defaults, where nothing is wrong with it. */
  readonly value: Value | undefined;
  /** The keys with which nothing is wrong, with their defaults, for rules across keys. */
  readonly valid: Partial<Value>;
  readonly problems: readonly Problem[];
}

/**
 * Checks `input` key by key and says everything that is wrong, so that rules across keys can still judge the keys which
 * are right. `at` is the path of `input` in the declaration.
 */
export function checkShape<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  input: unknown,
  at: readonly PropertyKey[],
): CheckedShape<z.infer<z.ZodObject<Shape, z.core.$strict>>> {
  const whole = schema.safeParse(input);
  if (whole.success) {
    return { value: whole.data, valid: whole.data, problems: [] };
  }
  const { issues } = whole.error;
  const faulty = new Set(issues.flatMap(({ path }) => path.slice(0, 1).map(String)));
  const known = Object.keys(schema.shape);
  const isSound = (key: string) => known.includes(key) && !faulty.has(key);
  const rest = schema.partial().safeParse(isRecord(input) ? pick(input, isSound) : {});
  return {
    value: undefined,
    // `pick` twice: a default must not stand in for a key that was declared wrongly. Each key that is left was parsed
    // by its own schema, which the compiler cannot follow through `pick`.
    valid: (rest.success && isRecord(input) ? pick(rest.data, isSound) : {}) as Partial<z.infer<typeof schema>>,
    problems: issues.flatMap((issue) => problemsOf(issue, at)),
  };
}

/** Reports whether `value` is an object with keys: neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Finds every own `__proto__` key in `input`, however deep: it would vanish or change an object's nature on its way, so
 * it is refused wherever it stands. Survives cycles, and stops at a depth that no valid declaration has.
 */
export function protoProblems(input: unknown): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<object>();
  const open: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [{ value: input, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (typeof value !== 'object' || value === null || seen.has(value) || path.length > DEEPEST) {
      continue;
    }
    seen.add(value);
    for (const key of Object.keys(value)) {
      const keyPath = [...path, Array.isArray(value) ? Number(key) : key];
      if (key === '__proto__') {
        problems.push({ path: renderPath(keyPath), message: 'must not be used as a key: take it out' });
      } else {
        open.push({ value: Reflect.get(value, key), path: keyPath });
      }
    }
  }
  return problems;
}

function problemsOf(issue: z.core.$ZodIssue, at: readonly PropertyKey[]): Problem[] {
  const path = [...at, ...issue.path];
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: renderPath(path), message: issue.message }];
  }
  return issue.keys
    .filter((key) => key !== '__proto__')
    .map((key) => ({ path: renderPath([...path, key]), message: issue.message }));
}

function pick(record: Readonly<Record<string, unknown>>, keeps: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keeps(key)));
}
