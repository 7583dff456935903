import type { Provider, Step, SubjectKind } from '../core/slot/provider.ts';
import { namesInDerived, namesInPlacement, namesInStep, namesToken, stepsOf } from '../providers/names.ts';
import type { ProviderProblem } from './provider-urls.ts';

const GIVEN = ['baseUrl', 'subject'];

/** The names that reads give, in a list of steps. */
export function readsOf(steps: readonly Step[] = []): readonly string[] {
  return steps.flatMap(({ reads = {} }) => Object.keys(reads));
}

/** Finds names that two things give, and settings that are keys of every connection. */
export function findNameProblems(provider: Provider, connectionKeys: readonly string[]): ProviderProblem[] {
  const { secretFields, settings = {}, derived = {} } = provider;
  const problems: ProviderProblem[] = [];
  const owners = new Map<string, string>([...GIVEN, 'token'].map((name) => [name, 'the broker']));
  const claim = (path: readonly PropertyKey[], name: string, owner: string) => {
    const other = name === 'token' && owner === 'a derived value' ? undefined : owners.get(name);
    if (other !== undefined)
      problems.push({ path, message: `has the name of what ${other} gives already: choose another` });
    owners.set(name, owner);
  };
  for (const name of Object.keys(secretFields)) claim(['secretFields', name], name, 'a field of the secret');
  for (const name of Object.keys(settings)) {
    claim(['settings', name], name, 'a setting');
    if (connectionKeys.includes(name))
      problems.push({ path: ['settings', name], message: 'is a key that every connection has: choose another' });
  }
  for (const name of Object.keys(derived)) claim(['derived', name], name, 'a derived value');
  if (Object.hasOwn(provider.attributes ?? {}, 'asOf'))
    problems.push({ path: ['attributes', 'asOf'], message: 'is the time of the login, which the broker gives' });
  for (const { at, step } of stepsOf(provider)) {
    for (const name of Object.keys(step.reads ?? {})) {
      const path = [...at, 'reads', name];
      const owner = owners.get(name);
      if (owner === undefined || name === 'token') continue;
      if (Object.hasOwn(secretFields, name) && secretFields[name]?.rotates !== undefined) continue;
      const remedy = Object.hasOwn(secretFields, name)
        ? 'where an answer gives the next value of that field, say `rotates` there; else choose another'
        : 'choose another';
      problems.push({ path, message: `has the name of what ${owner} gives already: ${remedy}` });
    }
  }
  return problems;
}

/** Finds derived values that name what nothing gives before them. */
export function findDerivedProblems(provider: Provider): ProviderProblem[] {
  const { derived = {} } = provider;
  const before: string[] = [];
  return Object.entries(derived).flatMap(([name, each]) => {
    const known = new Set([
      ...namesGiven(provider, 'any'),
      ...before,
      ...(namesToken(name, provider) || namesInDerived(each).includes('token')
        ? ['token', ...readsOf(allLogins(provider))]
        : []),
    ]);
    before.push(name);
    return findUnknownNames(namesInDerived(each), known, ['derived', name]);
  });
}

/** The steps of every login. */
export function allLogins({ logins }: Provider): readonly Step[] {
  return [...(logins.system ?? []), ...(logins.user ?? [])];
}

/** The names that are there before any request. */
export function namesGiven(
  { secretFields, settings = {}, userSubject }: Provider,
  kind: SubjectKind | 'any',
): readonly string[] {
  const subject = kind === 'user' || (kind === 'any' && userSubject !== undefined) ? ['subject'] : [];
  return [...Object.keys(secretFields), ...Object.keys(settings), 'baseUrl', ...subject];
}

/** Derived values that do not need the token. */
function derivedBefore(provider: Provider): readonly string[] {
  return Object.keys(provider.derived ?? {}).filter((name) => !namesToken(name, provider));
}

/** Finds names that nothing gives. */
export function findUnknownNames(
  names: readonly string[],
  known: ReadonlySet<string>,
  path: readonly PropertyKey[],
): ProviderProblem[] {
  return [...new Set(names)]
    .filter((name) => !known.has(name))
    .map((name) => ({
      path,
      message: `names \`{${name}}\`, which is no field of the secret, setting or derived value, nor read from an answer before it. A brace as text is written \`{{\``,
    }));
}

/** Finds steps that name what nothing gives before them, and logins that read no token. */
export function findLoginProblems(provider: Provider): ProviderProblem[] {
  const { logins } = provider;
  if (logins.system === undefined && logins.user === undefined)
    return [{ path: ['logins'], message: 'must have steps for `system`, `user` or both' }];
  const signsToken = provider.derived !== undefined && Object.hasOwn(provider.derived, 'token');
  return (['system', 'user'] as const).flatMap((kind) => {
    const steps = logins[kind];
    if (steps === undefined) return [];
    const known = new Set([
      ...namesGiven(provider, kind),
      ...(kind === 'system' && provider.userSubject !== undefined ? ['subject'] : []),
      ...derivedBefore(provider),
    ]);
    const problems = steps.flatMap((step, index) => {
      const found = findUnknownNames(namesInStep(step), known, ['logins', kind, index]);
      for (const name of readsOf([step])) known.add(name);
      return found;
    });
    if (!signsToken && !readsOf(steps).includes('token')) {
      problems.push({
        path: ['logins', kind],
        message: 'must read `token` in one of its steps, or have it as a derived value',
      });
    }
    return problems;
  });
}

/** Finds what the last request of a chain reads. */
function findReadProblems(key: string, { reads }: Step): ProviderProblem[] {
  return reads === undefined
    ? []
    : [{ path: [key, 'reads'], message: 'is of no use: no request comes after this one' }];
}

/** Finds what a token lacks that an answer to any call brings: such an answer has its headers, and no more. */
function findEveryAnswerProblems(provider: Provider, { reads = {} }: Step): ProviderProblem[] {
  const path = ['renewal', 'everyAnswer'];
  const { lifetime = [], placement } = provider;
  const isSaid = lifetime.some((end) => !('value' in end) || reads[end.value]?.in === 'header');
  const made = namesInPlacement(placement).find((name) => namesToken(name, provider));
  return [
    ...(isSaid || lifetime.length === 0
      ? []
      : [
          { path, message: "needs an end that each answer says: in a header that the slide reads, or the token's own" },
        ]),
    ...(made === undefined
      ? []
      : [{ path, message: `is not for calls that carry \`{${made}}\`: it is made of the token at a login alone` }]),
  ];
}

/** Finds renewals, probes and logouts that name what nothing gives. */
export function findRenewalProblems(provider: Provider): ProviderProblem[] {
  const { renewal, probe, logout } = provider;
  const known = new Set([
    ...namesGiven(provider, 'any'),
    ...derivedBefore(provider),
    'token',
    ...readsOf(allLogins(provider)),
  ]);
  const of = (path: readonly PropertyKey[], step: Step, names: ReadonlySet<string> = known) =>
    findUnknownNames(namesInStep(step), names, path);
  // Everything is there that an API call may name.
  const ofToken = new Set([...known, ...Object.keys(provider.derived ?? {})]);
  const problems = Object.entries({ probe, logout }).flatMap(([key, step]) =>
    step === undefined ? [] : [...of([key], step, ofToken), ...findReadProblems(key, step)],
  );
  if (renewal === undefined) return problems;
  if ('slide' in renewal) {
    if (renewal.everyAnswer === true && renewal.slide.reads?.['token']?.in !== 'header') {
      problems.push({ path: ['renewal', 'everyAnswer'], message: 'needs a slide that reads `token` from a header' });
    }
    if (renewal.everyAnswer === true) problems.push(...findEveryAnswerProblems(provider, renewal.slide));
    return [...problems, ...of(['renewal', 'slide'], renewal.slide)];
  }
  for (const [index, step] of renewal.refresh.entries()) {
    problems.push(...of(['renewal', 'refresh', index], step));
    for (const name of readsOf([step])) known.add(name);
  }
  if (!readsOf(renewal.refresh).includes('token'))
    problems.push({ path: ['renewal', 'refresh'], message: 'must read `token` in one of its steps' });
  return problems;
}
