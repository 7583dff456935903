import * as z from 'zod';
import { createProblem, type Problem } from './errors.ts';

/** Creates a zod object that refuses unknown keys and names the known ones; `what` names it, as in "a trust entry". */
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

/** The keys of `Declared` that a rule needs, as their own checks leave them. The others may hold anything. */
type Seen<Declared, Key extends keyof Declared> = Pick<Declared, Key> & {
  readonly [Other in Exclude<keyof Declared, Key>]?: unknown;
};

/** Reports what is wrong with the key at `path`, and the remedy. */
type Report = (message: string, ...path: PropertyKey[]) => void;

/**
 * Creates a rule across the keys of an object. It is judged unless one of the keys that it `needs` is faulty by itself,
 * whatever else is. A field must not use `abort: true`: zod then skips the rules of the whole object.
 */
export function rule<Declared, Key extends keyof Declared>(
  needs: readonly Key[],
  judge: (declared: Seen<Declared, Key>, report: Report) => void,
) {
  return z.superRefine<Declared>(
    (declared, { addIssue }) => judge(declared, (message, ...path) => addIssue({ code: 'custom', path, message })),
    {
      when: ({ value, issues }) =>
        isRecord(value) && !issues.some(({ path: [faulty] = [] }) => needs.some((key) => key === faulty)),
    },
  );
}

/** Says what zod found as problems, one for each unknown key; `at` is the path of what was checked. */
export function toProblems(error: z.ZodError | undefined, at: readonly PropertyKey[] = []): Problem[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [createProblem(path, issue.message)];
    return issue.keys.filter((key) => key !== '__proto__').map((key) => createProblem([...path, key], issue.message));
  });
}

/** Reports whether `value` is an object with keys: neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
