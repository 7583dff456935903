import {
  type Derived,
  type Placement,
  type Provider,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
  type Step,
} from '../core/slot/provider.ts';
import { fillText, namesIn, type Values } from '../core/slot/text.ts';
import { isJsonObject, type JsonValue } from '../core/words/json.ts';

/** The names that a request fills in. */
export function namesInStep({
  url,
  query,
  headers,
  basic,
  json,
  form,
  xml,
  parameters,
  certificate,
}: Step): readonly string[] {
  return namesInAll(
    url,
    query,
    headers,
    basic && [basic.user, basic.password],
    json,
    form,
    xml,
    parameters && [parameters.as, parameters.of],
    certificate,
  );
}

/** The names that a derived value is made of. */
export function namesInDerived(derived: Derived): readonly string[] {
  if ('jwt' in derived) return namesInAll(derived.jwt.alg, derived.jwt.key, derived.jwt.header, derived.jwt.claims);
  if ('digest' in derived) return namesInAll(derived.of, derived.key);
  if ('text' in derived) return namesIn(derived.text);
  if ('base64' in derived) return namesIn(derived.base64);
  if ('publicKeyOf' in derived) return namesIn(derived.publicKeyOf);
  if ('thumbprintOf' in derived) return namesIn(derived.thumbprintOf);
  return [];
}

/** The names that an API call fills in, its certificate's aside. */
export function namesInPlacement({ headers, query, baseUrl }: Placement): readonly string[] {
  return namesInAll(headers, query, baseUrl);
}

/** The steps of every kind that a provider has, each with where it stands. */
export function stepsOf({
  logins,
  renewal,
  probe,
  logout,
}: Provider): readonly { readonly at: readonly (string | number)[]; readonly step: Step }[] {
  const many = (at: readonly string[], steps: readonly Step[] = []) =>
    steps.map((step, index) => ({ at: [...at, index], step }));
  const one = (at: readonly string[], step: Step | undefined) => (step === undefined ? [] : [{ at, step }]);
  return [
    ...many(['logins', 'system'], logins.system),
    ...many(['logins', 'user'], logins.user),
    ...(renewal === undefined
      ? []
      : 'slide' in renewal
        ? one(['renewal', 'slide'], renewal.slide)
        : many(['renewal', 'refresh'], renewal.refresh)),
    ...one(['probe'], probe),
    ...one(['logout'], logout),
  ];
}

/** The names of secret fields, and of what is derived from one; the token itself is none. */
export function secretNames({ secretFields, derived = {} }: Provider): ReadonlySet<string> {
  const secret = new Set(Object.keys(secretFields));
  for (const [name, each] of Object.entries(derived)) {
    if (name !== 'token' && namesInDerived(each).some((named) => secret.has(named))) secret.add(name);
  }
  return secret;
}

/** Finds the algorithm that signs by a field of the secret; undefined where none does. */
export function algorithmOf(field: string, { derived = {} }: Provider, settings: Values): SigningAlgorithm | undefined {
  const named = Object.values(derived).flatMap((each) =>
    'jwt' in each && namesIn(each.jwt.key).includes(field) ? [fillText(each.jwt.alg, settings)] : [],
  );
  return SIGNING_ALGORITHMS.find((alg) => named.includes(alg));
}

/** Reports whether a derived value is made of the token, itself or by way of another. */
export function namesToken(name: string, { derived = {} }: Pick<Provider, 'derived'>): boolean {
  const each = derived[name];
  if (name === 'token' || each === undefined) return false;
  return namesInDerived(each).some((named) => named === 'token' || namesToken(named, { derived }));
}

/** The names in a request, with those that its derived values are made of; `kept` ones are there as they are. */
export function namesBehind(
  names: readonly string[],
  { derived = {} }: Pick<Provider, 'derived'>,
  kept: readonly string[] = [],
): readonly string[] {
  return names.flatMap((name) => {
    const each = name === 'token' || kept.includes(name) ? undefined : derived[name];
    return each === undefined ? [name] : [name, ...namesBehind(namesInDerived(each), { derived }, kept)];
  });
}

/** The values that answers and derived values give, by where they are kept beside the token. */
export interface KeptNames {
  /** Values that an API call needs, for every function. */
  readonly open: readonly string[];
  /** Parts of the credential in an API call, and values that renew the token. For `mint` and `proxy` alone. */
  readonly closed: readonly string[];
}

/** The values of a login that must be kept beside its token. */
export function keptNames(provider: Provider): KeptNames {
  const { placement, settings = {}, renewal, logout, secretFields } = provider;
  const secret = secretNames(provider);
  const isGiven = (name: string) =>
    name === 'token' || name === 'baseUrl' || name === 'subject' || Object.hasOwn(settings, name);
  const placed = namesInPlacement(placement).filter((name) => !isGiven(name));
  const certificate = namesInAll(placement.certificate);
  const renewing = renewal === undefined ? [] : 'slide' in renewal ? [renewal.slide] : renewal.refresh;
  const ending = logout === undefined ? [] : namesBehind(namesInStep(logout), provider);
  const later = [...renewing.flatMap(namesInStep), ...ending];
  const isRead = (name: string) =>
    !isGiven(name) && !Object.hasOwn(secretFields, name) && !Object.hasOwn(provider.derived ?? {}, name);
  return {
    open: unique(placed.filter((name) => !secret.has(name))),
    closed: unique([...placed.filter((name) => secret.has(name)), ...certificate, ...later.filter(isRead)]),
  };
}

/** Reports whether an API call carries a part of the credential: then the proxy alone places tokens. */
export function isProxyOnly(provider: Provider): boolean {
  const secret = secretNames(provider);
  return (
    provider.placement.certificate !== undefined ||
    namesInPlacement(provider.placement).some((name) => secret.has(name))
  );
}

/** Reports whether an answer may give the credential's next value, which spends the one before. */
export function isRotating({ secretFields }: Pick<Provider, 'secretFields'>): boolean {
  return Object.values(secretFields).some(({ rotates }) => rotates !== undefined);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

function namesInAll(...parts: readonly unknown[]): readonly string[] {
  return parts.flatMap((part) => textsIn(part as JsonValue | undefined).flatMap(namesIn));
}

/** Every text in a piece of JSON, member names aside. */
export function textsIn(json: JsonValue | undefined): readonly string[] {
  if (typeof json === 'string') return [json];
  if (Array.isArray(json)) return json.flatMap(textsIn);
  return isJsonObject(json) ? Object.values(json).flatMap(textsIn) : [];
}
