import { type Provider, SIGNING_ALGORITHMS, type Step } from '../core/slot/provider.ts';
import { namesIn } from '../core/slot/text.ts';
import { isJsonObject } from '../core/words/json.ts';
import { isProxyOnly, namesInPlacement, namesInStep, namesToken, secretNames, stepsOf } from '../providers/names.ts';
import {
  allLogins,
  findDerivedProblems,
  findLoginProblems,
  findNameProblems,
  findRenewalProblems,
  findUnknownNames,
  namesGiven,
  readsOf,
} from './provider-names.ts';
import { findHeaderProblems, findHostProblems, findUrlProblems, type ProviderProblem } from './provider-urls.ts';

const SHORTEST_ROTATING_SECONDS = 900;
const LONGEST_UNKNOWN_SECONDS = 3600;

/** Finds what is wrong with a provider across its keys: names that nothing gives, clashes, where URLs lead. */
export function checkProvider(provider: Provider, connectionKeys: readonly string[]): readonly ProviderProblem[] {
  return [
    ...findNameProblems(provider, connectionKeys),
    ...findSettingProblems(provider),
    ...findSubjectProblems(provider),
    ...findDerivedProblems(provider),
    ...findJwtProblems(provider),
    ...findLoginProblems(provider),
    ...stepsOf(provider).flatMap(({ at, step }) => findStepProblems(provider, at, step)),
    ...findPlacementProblems(provider),
    ...findLifetimeProblems(provider),
    ...findRenewalProblems(provider),
    ...findRuleProblems(provider),
    ...findRotationProblems(provider),
    ...findProbeProblems(provider),
    ...findBraceProblems(provider),
  ];
}

/** Finds what is allowed but unsafe in a provider. */
export function findProviderWarnings(provider: Provider): readonly string[] {
  const secret = secretNames(provider);
  const hasSecret = (texts: readonly string[]) => texts.flatMap(namesIn).some((name) => secret.has(name));
  const inUrls = [
    ...stepsOf(provider).filter(({ step: { url, query = {}, parameters } }) =>
      // A setting that may be `query` warns by itself.
      hasSecret([url, ...Object.values(query), ...(parameters?.as === 'query' ? Object.values(parameters.of) : [])]),
    ),
    ...(hasSecret(Object.values(provider.placement.query ?? {})) ? [{ at: ['placement'] }] : []),
  ];
  const byPassword = stepsOf(provider).some(({ step }) => grantTypeIn(step) === 'password');
  return [
    ...inUrls.map(
      ({ at }) => `${at.join('.')} puts a part of the credential into the URL, and so into the upstream's access log`,
    ),
    ...(byPassword
      ? ['uses the password grant, which RFC 9700 §2.4 advises against: use another grant where the upstream has one']
      : []),
  ];
}

function grantTypeIn({ form, json }: Step): unknown {
  return form?.['grant_type'] ?? (isJsonObject(json) ? json['grant_type'] : undefined);
}

function findSettingProblems({ settings = {} }: Provider): ProviderProblem[] {
  return Object.entries(settings).flatMap(([name, { kind, values, separator, repeated, default: byDefault }]) => {
    const path = ['settings', name];
    const problems: ProviderProblem[] = [];
    if ((kind === 'enum') !== (values !== undefined))
      problems.push({ path, message: 'must have `values` if it is an enum, and only then' });
    if (separator !== undefined && kind !== 'list')
      problems.push({ path, message: 'has a `separator`, which a list alone has' });
    if (repeated !== undefined && kind !== 'list')
      problems.push({ path, message: 'is `repeated`, which a list alone is' });
    if (values !== undefined && byDefault !== undefined && !values.includes(byDefault))
      problems.push({ path: [...path, 'default'], message: 'must be one of `values`' });
    return problems;
  });
}

/** Finds texts with a brace that is neither doubled nor the beginning of a name: the upstream would get it as it is. */
function findBraceProblems(provider: Provider): ProviderProblem[] {
  const { derived = {}, placement } = provider;
  const filled: readonly (readonly [path: readonly PropertyKey[], part: unknown])[] = [
    ...Object.entries(derived).map(([name, each]) => [['derived', name], each] as const),
    ...stepsOf(provider).map(({ at, step: { reads: _, ...sent } }) => [at, sent] as const),
    [['placement'], placement],
  ];
  const message = 'has a `{` that begins no name: a name is letters, digits and `_`. A brace as text is written `{{`';
  return filled.flatMap(([path, part]) => (textsWithin(part).some(hasLoneBrace) ? [{ path, message }] : []));
}

function textsWithin(part: unknown): readonly string[] {
  if (typeof part === 'string') return [part];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(textsWithin) : [];
}

function hasLoneBrace(text: string): boolean {
  return text.replace(/\{\{|\{\w+\}/g, '').includes('{');
}

/** Finds JWTs whose algorithm is none that the broker signs by, and those that say an end of their own. */
function findJwtProblems({ derived = {}, settings = {} }: Provider): ProviderProblem[] {
  const known: readonly string[] = SIGNING_ALGORITHMS;
  return Object.entries(derived).flatMap(([name, each]) => {
    if (!('jwt' in each)) return [];
    const path = ['derived', name, 'jwt'];
    const isKnown = wordsOf(each.jwt.alg, settings).every((word) => known.includes(word));
    const message = `must be one of ${known.join(', ')}, or an enum setting whose values are among them`;
    return [
      ...(isKnown ? [] : [{ path: [...path, 'alg'], message }]),
      ...(isJsonObject(each.jwt.claims) && Object.hasOwn(each.jwt.claims, 'exp')
        ? [{ path: [...path, 'claims', 'exp'], message: 'is what `lifeSeconds` says: take it out' }]
        : []),
    ];
  });
}

/** Lists the words that a text may stand for: the values of the setting that it names, else the text itself. */
function wordsOf(text: string, settings: NonNullable<Provider['settings']>): readonly string[] {
  const [name] = namesIn(text);
  return (name !== undefined && text === `{${name}}` ? settings[name]?.values : undefined) ?? [text];
}

function findSubjectProblems(provider: Provider): ProviderProblem[] {
  const { userSubject, logins, answers = [], ownerClaim } = provider;
  const problems: ProviderProblem[] = [];
  if (userSubject !== undefined && logins.user === undefined)
    problems.push({ path: ['userSubject'], message: 'needs steps in `logins.user`' });
  if (logins.user !== undefined && userSubject === undefined)
    problems.push({ path: ['logins', 'user'], message: 'needs `userSubject`: how a subject is written' });
  if (userSubject === undefined && (ownerClaim !== undefined || answers.some(({ of }) => of === 'user'))) {
    problems.push({
      path: [ownerClaim === undefined ? 'answers' : 'ownerClaim'],
      message: 'is about users, and there is no `userSubject`',
    });
  }
  const isSentAsNumber = hasNumberOf([stepsOf(provider).map(({ step }) => step.json), provider.derived], 'subject');
  if (userSubject !== undefined && userSubject.maximum === undefined && isSentAsNumber) {
    const message = 'must be there where a subject is sent as a number: a longer one would be sent as another';
    problems.push({ path: ['userSubject', 'maximum'], message });
  }
  const problem = userSubject && findPatternProblem(userSubject.pattern);
  if (problem !== undefined) problems.push({ path: ['userSubject', 'pattern'], message: problem });
  return problems;
}

/** Reports whether JSON has a number that names a value: `{ "number": "{name}" }`. */
function hasNumberOf(json: unknown, name: string): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return Object.entries(json).some(([key, each]) =>
    key === 'number' && typeof each === 'string' ? namesIn(each).includes(name) : hasNumberOf(each, name),
  );
}

/**
 * Says why a pattern may not judge subjects: it must compile, and take a time that grows with the subject alone. So no
 * group is repeated, nothing looks back or ahead, and one part at most is of any length.
 */
function findPatternProblem(pattern: string): string | undefined {
  try {
    new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return 'must be a regular expression';
  }
  const bare = pattern.replace(/\\[\s\S]/g, 'x').replace(/\[[^\]]*\]/g, 'x');
  if (/\)[*+?{]/.test(bare)) return 'must not repeat a group: that can take a very long time';
  if (/\(\?[^:]/.test(bare) || /\\[1-9k]/.test(pattern)) return 'must not look ahead or back, nor refer to a group';
  if ((bare.match(/[*+]|\{\d+,\}/g) ?? []).length > 1)
    return 'must have one `*`, `+` or `{n,}` at the most: write `{0,64}` for the others';
  return undefined;
}

function findStepProblems(provider: Provider, at: readonly (string | number)[], step: Step): ProviderProblem[] {
  const bodies = (['json', 'form', 'xml', 'parameters'] as const).filter((key) => step[key] !== undefined);
  const several =
    bodies.length > 1
      ? [{ path: at, message: `has ${bodies.map((key) => `\`${key}\``).join(' and ')}: a request has one body` }]
      : [];
  // The header of `basic` would take the place of the other without a word.
  const isAuthorized = Object.keys(step.headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
  const isAuthorizedTwice = step.basic !== undefined && isAuthorized;
  return [
    ...several,
    ...(isAuthorizedTwice
      ? [{ path: at, message: 'has `basic` and a header `Authorization`: use one of the two' }]
      : []),
    ...findHeaderProblems([...at, 'headers'], step.headers),
    ...findUrlProblems(provider, [...at, 'url'], step.url, step.hosts),
    ...findHostProblems([...at, 'hosts'], step.hosts),
    ...findParametersProblems(provider, at, step),
  ];
}

function findParametersProblems(
  { settings = {} }: Provider,
  at: readonly PropertyKey[],
  { parameters }: Step,
): ProviderProblem[] {
  if (parameters === undefined) return [];
  const isKnown = wordsOf(parameters.as, settings).every((word) => ['json', 'form', 'query'].includes(word));
  return isKnown
    ? []
    : [
        {
          path: [...at, 'parameters', 'as'],
          message: 'must be `json`, `form` or `query`, or a setting whose values are among them',
        },
      ];
}

function findPlacementProblems(provider: Provider): ProviderProblem[] {
  const { placement, derived = {} } = provider;
  const known = new Set([
    ...namesGiven(provider, 'any'),
    ...Object.keys(derived),
    'token',
    ...readsOf(allLogins(provider)),
  ]);
  const problems = [
    ...findUnknownNames(namesInPlacement(placement), known, ['placement']),
    ...findHeaderProblems(['placement', 'headers'], placement.headers),
    ...findHostProblems(['placement', 'hosts'], placement.hosts),
    ...(placement.baseUrl === undefined
      ? []
      : findUrlProblems(provider, ['placement', 'baseUrl'], placement.baseUrl, placement.hosts)),
  ];
  const named = namesInPlacement({ headers: placement.headers ?? {}, query: placement.query ?? {} });
  const carriesToken = named.some((name) => name === 'token' || namesToken(name, provider));
  if (!carriesToken && !placesNothing(placement))
    problems.push({
      path: ['placement'],
      message: 'does not place `{token}` anywhere: name it in a header or in the query',
    });
  return problems;
}

function findLifetimeProblems(provider: Provider): ProviderProblem[] {
  const { lifetime = [], defaults = {}, derived = {}, ownerClaim } = provider;
  const read = new Set([...readsOf(allLogins(provider)), ...Object.keys(derived), 'token']);
  const problems = lifetime.flatMap((end, index): ProviderProblem[] => {
    const path = ['lifetime', index];
    const name = 'value' in end ? end.value : 'jwt' in end ? end.jwt : undefined;
    if (name !== undefined && !read.has(name)) return [{ path, message: `names \`${name}\`, which no step reads` }];
    if ('setting' in end && defaults.lifetimeSeconds === undefined)
      return [{ path, message: 'needs `defaults.lifetimeSeconds`' }];
    return [];
  });
  // Only a token that is signed here, or whose claims are read, is a JWT for certain.
  const isJwt = Object.hasOwn(derived, 'token') || ownerClaim !== undefined;
  const isSaid = lifetime.some((end) => isJwt || !('jwt' in end));
  const isShort = (defaults.maxTokenAgeSeconds ?? Number.POSITIVE_INFINITY) <= LONGEST_UNKNOWN_SECONDS;
  if (!isSaid && !isShort) {
    const remedy = `set \`defaults.maxTokenAgeSeconds\` to ${LONGEST_UNKNOWN_SECONDS} at most`;
    const message =
      lifetime.length === 0
        ? `says nothing of the token's end: name where it is said, or ${remedy}`
        : `says nothing of the end of a token that is no JWT: name another end after it, or ${remedy}`;
    problems.push({ path: ['lifetime'], message });
  }
  return problems;
}

function findRuleProblems({ answers = [] }: Provider): ProviderProblem[] {
  return answers.flatMap(({ status, at, is, means }, index) => {
    const path = ['answers', index];
    if (is !== undefined && at === undefined)
      return [{ path, message: 'has `is` without `at`: where the value stands' }];
    if (status === undefined && at === undefined)
      return [{ path, message: 'fits every answer: give it `status`, or `at` with `is`' }];
    if (means === 'ok' && at === undefined && status === undefined)
      return [{ path, message: 'calls every answer a success' }];
    return [];
  });
}

function findRotationProblems(provider: Provider): ProviderProblem[] {
  const { secretFields, logins, lifetime = [], defaults = {} } = provider;
  return Object.entries(secretFields).flatMap(([name, { rotates }]) => {
    if (rotates === undefined) return [];
    const path = ['secretFields', name, 'rotates'];
    const problems: ProviderProblem[] = [];
    if (!readsOf(allLogins(provider)).includes(name))
      problems.push({ path, message: `needs a step that reads \`${name}\`: its next value` });
    if (logins.user !== undefined)
      problems.push({ path, message: 'is for `system` alone: one secret has one chain of values' });
    const others = stepsOf(provider).filter(({ at }) => at[0] !== 'logins');
    const uses = others.find(({ step }) => [...namesInStep(step), ...readsOf([step])].includes(name));
    if (uses !== undefined)
      problems.push({ path, message: `is for logins alone, where it is kept: \`${uses.at.join('.')}\` uses it too` });
    if (namesInPlacement(provider.placement).includes(name))
      problems.push({ path, message: 'must not be placed in API calls: it changes with each login' });
    const fixed = lifetime.flatMap((end) =>
      'seconds' in end ? [end.seconds] : 'setting' in end ? [defaults.lifetimeSeconds ?? 0] : [],
    );
    if (fixed.some((life) => life < SHORTEST_ROTATING_SECONDS)) {
      problems.push({
        path,
        message: `needs a life of ${SHORTEST_ROTATING_SECONDS} s or more: Secrets Manager takes no more than one new version in ten minutes`,
      });
    }
    return problems;
  });
}

/** Finds a probe where a login's own requests prove the credential. */
function findProbeProblems({ probe, derived = {} }: Provider): ProviderProblem[] {
  if (probe === undefined || Object.hasOwn(derived, 'token')) return [];
  return [{ path: ['probe'], message: 'is for a token that is a derived value: a login that is sent proves itself' }];
}

/** Reports whether a token goes into no header and no query: callers put it where it belongs, such as into a body. */
export function placesNothing({ headers, query }: Provider['placement']): boolean {
  return headers === undefined && query === undefined;
}

/** Reports whether a connection of this provider needs `proxy`, and says why. */
export function findProxyReason(provider: Provider): string | undefined {
  return isProxyOnly(provider)
    ? 'its API calls carry a part of the credential, so its tokens are never handed out: declare `proxy`'
    : undefined;
}
