import { type Connection, fingerprintOf, lifetimeSecondsOf, type ServedSubjects } from '../core/slot/connection.ts';
import { defaultRefreshAfter, kindsServedBy, type Provider } from '../providers/provider.ts';
import { providerOf, providers } from '../providers/registry.ts';
import { type Problem, renderPath } from './configuration-error.ts';
import { canonicalOrigin } from './origins.ts';
import { crossProblems, type Timing, timingProblems, warningsOf } from './rules.ts';
import {
  type OwnDeclaration,
  ownersOf,
  ownKeysOf,
  ownSchemasOf,
  type SharedDeclaration,
  sharedKeys,
  sharedSchema,
} from './schema.ts';
import { checkShape, isRecord } from './shape.ts';

const SHORTEST_IDLE_SECONDS = 3600;

/** One declared connection after its check: the connection where nothing is wrong with it, else the problems. */
export interface CheckedConnection {
  readonly connection: Connection | undefined;
  /** The declaration leaves `secret` out. */
  readonly makesSecret: boolean;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** Checks one declared connection, its keys alone and against each other, and fills in every default. */
export function checkConnection(name: string, input: unknown): CheckedConnection {
  const at = ['connections', name];
  if (!isRecord(input)) {
    return refused([{ path: renderPath(at), message: 'must be an object with at least `provider` and `baseUrl`' }]);
  }
  const providerName = typeof input['provider'] === 'string' ? input['provider'] : '';
  const provider = providerOf(providerName);
  const shared = checkShape(sharedSchema, pick(input, sharedKeys), at);
  const own = checkOwn(provider, input, at);
  const declares = (key: keyof SharedDeclaration) => input[key] !== undefined;
  const isRefreshAfterFaulty = declares('refreshAfter') && shared.valid.refreshAfter === undefined;
  const timing = isRefreshAfterFaulty ? undefined : timingOf(shared.valid, own.value, provider);
  const acrossKeys = [
    ...crossProblems({ declared: shared.valid, provider, providerName, declares }),
    ...(timing === undefined ? [] : timingProblems(timing)),
  ];
  const problems = [
    ...shared.problems,
    ...foreignKeyProblems(input, providerName, provider, at),
    ...own.problems,
    ...acrossKeys.map(({ path, message }) => ({ path: `${renderPath(at)}.${path}`, message })),
  ];
  if (problems.length > 0 || shared.value === undefined || own.value === undefined || provider === undefined) {
    return refused(problems);
  }
  const connection = buildConnection(name, provider, shared.value, own.value);
  const makesSecret = shared.value.secret === undefined;
  return { connection, makesSecret, problems: [], warnings: warningsOf(connection, provider) };
}

function refused(problems: readonly Problem[]): CheckedConnection {
  return { connection: undefined, makesSecret: false, problems, warnings: [] };
}

function checkOwn(
  provider: Provider | undefined,
  input: Readonly<Record<string, unknown>>,
  at: readonly PropertyKey[],
): { readonly value: OwnDeclaration | undefined; readonly problems: readonly Problem[] } {
  if (provider === undefined) {
    return { value: undefined, problems: [] };
  }
  const schemas = ownSchemasOf(provider);
  const settings = checkShape(schemas.settings, pick(input, Object.keys(schemas.settings.shape)), at);
  const seconds = checkShape(schemas.seconds, pick(input, Object.keys(schemas.seconds.shape)), at);
  const problems = [...settings.problems, ...seconds.problems];
  if (settings.value === undefined || seconds.value === undefined) {
    return { value: undefined, problems };
  }
  return { value: { settings: withoutUndefined(settings.value), ...withoutUndefined(seconds.value) }, problems };
}

/** What the rule on times needs; undefined while a key that it depends on is faulty itself. */
function timingOf(
  shared: Partial<SharedDeclaration>,
  own: OwnDeclaration | undefined,
  provider: Provider | undefined,
): Timing | undefined {
  const { minTtlSeconds, maxTokenAgeSeconds } = shared;
  const isJudgeable =
    own !== undefined && provider !== undefined && minTtlSeconds !== undefined && maxTokenAgeSeconds !== undefined;
  if (!isJudgeable) return undefined;
  const lifetimeSeconds = lifetimeSecondsOf({ ...own, maxTokenAgeSeconds });
  return {
    minTtlSeconds,
    refreshAfter: shared.refreshAfter ?? defaultRefreshAfter(provider, own.settings),
    lifetimeSeconds,
    // Of two keys that bound the life it is the lower that must be raised.
    lifeKey: own.lifetimeSeconds === lifetimeSeconds ? 'lifetimeSeconds' : 'maxTokenAgeSeconds',
  };
}

/** Keys that this provider's connections do not have, each with the remedy for what was probably meant. */
function foreignKeyProblems(
  input: Readonly<Record<string, unknown>>,
  providerName: string,
  provider: Provider | undefined,
  at: readonly PropertyKey[],
): Problem[] {
  const known = [...sharedKeys, ...(provider === undefined ? [] : ownKeysOf(provider))];
  return Object.keys(input).flatMap((key) => {
    const owners = ownersOf(key);
    const isJudgedElsewhere = key === '__proto__' || (provider === undefined && owners.length > 0);
    if (known.includes(key) || isJudgedElsewhere) {
      return [];
    }
    return [{ path: renderPath([...at, key]), message: foreignKeyMessage(key, owners, providerName, known) }];
  });
}

function foreignKeyMessage(
  key: string,
  owners: readonly string[],
  providerName: string,
  known: readonly string[],
): string {
  if (owners.length > 0) {
    return `belongs to provider ${owners.join(', ')}, not to ${providerName}: take it out`;
  }
  const isSecretField = Object.values(providers).some((provider) => Object.hasOwn(provider.secretFields, key));
  return isSecretField
    ? 'is a credential and must not be here: take it out, put it into the secret in Secrets Manager, and renew it'
    : `is not a key of a connection. Its keys: ${known.map((name) => `\`${name}\``).join(', ')}`;
}

/** Fills in what depends on other keys. Both parts are checked and have their plain defaults already. */
function buildConnection(
  name: string,
  provider: Provider,
  shared: SharedDeclaration,
  { settings, ...seconds }: OwnDeclaration,
): Connection {
  const { refreshAfter, idleSeconds, secret, isolation, proxy, vpc, securityGroups, caCertificate, ...plain } = shared;
  const login = {
    provider: shared.provider,
    baseUrl: canonicalOrigin(shared.baseUrl),
    secret: secret ?? `token-broker/${name}`,
    settings,
  };
  return {
    ...plain,
    ...login,
    ...seconds,
    name,
    subjects: servedSubjects(provider, shared.subjects),
    refreshAfter: refreshAfter ?? defaultRefreshAfter(provider, settings),
    idleSeconds: idleSeconds ?? Math.max(SHORTEST_IDLE_SECONDS, lifetimeSecondsOf({ ...shared, ...seconds })),
    isolation: isolation ?? name,
    placement: provider.placement,
    ...(proxy === undefined ? {} : { proxy }),
    ...(vpc === undefined ? {} : { vpc }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
    ...(caCertificate === undefined ? {} : { caCertificate }),
    fingerprint: fingerprintOf(login),
  };
}

function servedSubjects(provider: Provider, declared: SharedDeclaration['subjects']): ServedSubjects {
  const { system, staff } = kindsServedBy(provider);
  return { system: declared?.system ?? system, staff: declared?.staff ?? staff };
}

function pick(record: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(record, key)).map((key) => [key, record[key]]));
}

function withoutUndefined<Value>(record: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
