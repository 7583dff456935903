import * as z from 'zod';
import { type Connection, fingerprintOf, lifetimeSecondsOf } from '../core/slot/connection.ts';
import { canRenew } from '../core/slot/next-way.ts';
import type { Provider } from '../core/slot/provider.ts';
import { userKeyOf } from '../core/slot/slot.ts';
import { fillText } from '../core/slot/text.ts';
import { isProxyOnly, isRotating } from '../providers/names.ts';
import { type Providers, providerOf, providers as table } from '../providers/registry.ts';
import type { Configuration } from './configuration.ts';
import { ConfigurationError, createProblem, type Problem } from './errors.ts';
import { findFaultlessPart } from './faultless-part.ts';
import { callerNames, flag, NAME_PATTERN, NAME_RULE } from './fields.ts';
import { canonicalizeUrl, isPlainHttp } from './origins.ts';
import { checkProvider, findProviderWarnings } from './provider-rules.ts';
import { providerSchema } from './provider-schema.ts';
import type { ProviderProblem } from './provider-urls.ts';
import {
  type CheckedDeclaration,
  createConnectionSchema,
  createSettingsSchema,
  defaultsOf,
  keysOf,
  sharedKeys,
} from './schema.ts';
import { isRecord, strictObject, toProblems } from './shape.ts';
import { checkTrust, type trustEntry } from './trust.ts';

const SHORTEST_IDLE_SECONDS = 3600;
/** Methods that change nothing at the upstream (RFC 9110 §9.2.1). */
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** An ARN whose last six characters are a word or a number: AWS's own seldom are. */
const LIKELY_NAME_END = /^arn:.*(-(?:[a-z]{6}|[0-9]{6}))$/;
/** Maximum depth of a declaration; no valid one is as deep. */
const DEEPEST = 16;

/** The keys of a connections file. Connections and trust entries have schemas of their own. */
export const rootSchema = strictObject(
  {
    connections: z
      .custom<Readonly<Record<string, unknown>>>(isRecord, 'must be an object with a connection under each name')
      .refine((connections) => Object.keys(connections).length > 0, 'must declare at least one connection'),
    /** Refuse a hand-out whose audit record could not be stored (invariant 10). Default false. */
    strictAudit: flag.default(false),
    /**
     * Callers beside those whom a CDK app grants something: ARN patterns of roles and users, account ids, organisation
     * ids. Deployed only; what one may do, grants and IAM say. Default none.
     */
    callers: callerNames.default([]),
    /** Providers of the operator's own, by a name that no preset has. */
    providers: z
      .custom<Readonly<Record<string, Provider>>>(isRecord, 'must be an object with a provider under each name')
      .default({}),
    /** URL or path of the JSON schema for your editor. The broker ignores it. */
    $schema: z.string('must be a text').exactOptional(),
    /** Workloads outside AWS that may exchange their JWT for a token. */
    trust: z.array(z.custom<z.input<typeof trustEntry>>(), 'must be a list of trust entries').default([]),
  },
  'a configuration',
);

/**
 * Turns the operator's declaration into a configuration with every default filled in. Takes anything, and throws
 * `ConfigurationError` with everything that is wrong at once, each with its path and the remedy.
 */
export function resolveConnections(input: unknown, presets: Providers = table): Configuration {
  const root = rootSchema.safeParse(input);
  const { connections: given, trust: entries, providers: own } = isRecord(input) ? input : {};
  const declaredProviders = checkProviders(isRecord(own) ? own : {}, presets);
  const providers = { ...presets, ...declaredProviders.providers };
  const declared = Object.entries(isRecord(given) ? given : {}).filter(([name]) => name !== '__proto__');
  const names = declared.map(([name]) => name);
  const { spoilt } = declaredProviders;
  const checked = declared.map(([name, connection]) => checkConnection(name, connection, { providers, spoilt }));
  const connections = checked.flatMap(({ connection }) => connection ?? []);
  const byName: Configuration['connections'] = Object.assign(
    Object.create(null),
    Object.fromEntries(connections.map((connection) => [connection.name, connection])),
  );
  const trust = checkTrust(Array.isArray(entries) ? entries : [], names, byName);
  const problems = [
    ...findProtoKeys(input),
    ...toProblems(root.error),
    ...declaredProviders.problems,
    ...names
      .filter((name) => !NAME_PATTERN.test(name))
      .map((name) => createProblem(['connections', name], `is not a name for a connection: use ${NAME_RULE}`)),
    ...checked.flatMap((each) => each.problems),
    ...findSplitGroups(connections),
    ...findSharedRotation(connections),
    ...trust.problems,
  ];
  if (!root.success || problems.length > 0) throw new ConfigurationError(problems);
  return {
    connections: byName,
    strictAudit: root.data.strictAudit,
    callers: root.data.callers,
    trust: trust.trust,
    madeSecrets: declared.flatMap(([name, each]) => (isRecord(each) && each['secret'] === undefined ? [name] : [])),
    warnings: [...checked.flatMap(({ warnings }) => warnings), ...trust.warnings],
  };
}

interface CheckedProviders {
  readonly providers: Providers;
  /** Names of those with problems, of which nothing more can be said. */
  readonly spoilt: readonly string[];
  readonly problems: readonly Problem[];
}

/** Checks the operator's own providers, each key alone and all across each other. */
function checkProviders(declared: Readonly<Record<string, unknown>>, presets: Providers): CheckedProviders {
  const checked = Object.entries(declared)
    .filter(([name]) => name !== '__proto__')
    .map(([name, input]) => {
      const at = ['providers', name];
      const parsed = providerSchema.safeParse(input);
      // The schema says what the type says: a test compares them.
      const provider = parsed.success ? (parsed.data as Provider) : undefined;
      const across = provider === undefined ? checkPart(input) : checkProvider(provider, Object.keys(sharedKeys));
      const problems = [
        ...(NAME_PATTERN.test(name) ? [] : [createProblem(at, `is not a name for a provider: use ${NAME_RULE}`)]),
        ...(Object.hasOwn(presets, name) ? [createProblem(at, 'is the name of a preset: choose another')] : []),
        ...toProblems(parsed.error, at),
        ...across.flatMap(({ path, message }) => createProblem([...at, ...path], message)),
      ];
      return { name, provider, problems };
    });
  const good = checked.flatMap(({ name, provider, problems }) =>
    provider === undefined || problems.length > 0 ? [] : [[name, provider] as const],
  );
  return {
    providers: Object.fromEntries(good),
    spoilt: checked.flatMap(({ name, problems }) => (problems.length > 0 ? [name] : [])),
    problems: checked.flatMap(({ problems }) => problems),
  };
}

/** Finds what is wrong across the keys of a provider, unless one of its other faults may have caused it. */
function checkPart(input: unknown): readonly ProviderProblem[] {
  const part = findFaultlessPart(input);
  if (part === undefined) return [];
  return checkProvider(part.provider as Provider, Object.keys(sharedKeys)).filter(part.isTelling);
}

/** Finds every own `__proto__` key, however deep: zod drops it in silence where any key is allowed. */
function findProtoKeys(value: unknown, at: readonly PropertyKey[] = []): Problem[] {
  if (typeof value !== 'object' || value === null || at.length > DEEPEST) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...at, Array.isArray(value) ? Number(key) : key];
    return key === '__proto__'
      ? createProblem(path, 'must not be used as a key: take it out')
      : findProtoKeys(inner, path);
  });
}

interface CheckedConnection {
  /** The checked connection; absent where it has a problem. */
  readonly connection?: Connection;
  readonly problems: readonly Problem[];
  /** Warnings of what is allowed but unsafe. */
  readonly warnings: readonly string[];
}

/** Checks one declared connection, its keys alone and against each other, and fills in every default. */
function checkConnection(
  name: string,
  input: unknown,
  { providers, spoilt }: { readonly providers: Providers; readonly spoilt: readonly string[] },
): CheckedConnection {
  const at = ['connections', name];
  if (!isRecord(input)) {
    return { problems: [createProblem(at, 'must be an object with at least `provider` and `baseUrl`')], warnings: [] };
  }
  const provider = providerOf(input['provider'], providers);
  // A key declared as undefined is one left out.
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const known = keysOf(provider);
  const own = Object.fromEntries(given.filter(([key]) => known.includes(key)));
  const settings = createSettingsSchema(provider).safeParse(own);
  const isSpoilt = spoilt.some((each) => each === input['provider']);
  const names = [...Object.keys(providers), ...(isSpoilt ? spoilt : [])];
  const schema = createConnectionSchema(names, provider, settings.data);
  const declaration = schema.safeParse({ ...presetsOf(provider, settings.data), ...own });
  const problems = [
    ...toProblems(declaration.error, at),
    // The keys of a connection are those of its provider, once that is mended.
    ...(isSpoilt ? [] : findForeignKeys(input, { provider, providers, at })),
    ...toProblems(settings.error, at),
  ];
  if (problems.length > 0 || provider === undefined || !settings.success || !declaration.success) {
    return { problems, warnings: [] };
  }
  const connection = buildConnection(name, provider, settings.data, declaration.data);
  return { connection, problems, warnings: findWarnings(connection, provider) };
}

/** Gives the provider's defaults for the connection's keys. The declaration overrides them. */
function presetsOf(provider: Provider | undefined, settings: Connection['settings'] = {}) {
  if (provider === undefined) return {};
  const { refreshAfterWithRenewal, ...defaults } = defaultsOf(provider);
  const isRenewed = refreshAfterWithRenewal !== undefined && canRenew({ provider, settings });
  return isRenewed ? { ...defaults, refreshAfter: refreshAfterWithRenewal } : defaults;
}

/** Finds keys that this provider's connections do not have, each with the remedy for what was probably meant. */
function findForeignKeys(
  input: Readonly<Record<string, unknown>>,
  { provider, providers, at }: { provider: Provider | undefined; providers: Providers; at: readonly string[] },
): Problem[] {
  const known = keysOf(provider);
  const foreign = Object.keys(input).filter((key) => !known.includes(key) && key !== '__proto__');
  return foreign.flatMap((key) => {
    const owners = Object.keys(providers).filter((name) => keysOf(providers[name]).includes(key));
    if (owners.length > 0) {
      const some = owners.length > 3 ? [...owners.slice(0, 3), 'others'] : owners;
      const message = `belongs to provider ${some.join(', ')}, not to ${input['provider']}: take it out`;
      // While the provider itself is unknown, nobody can say that its settings are another's.
      return provider === undefined ? [] : createProblem([...at, key], message);
    }
    const isSecret = Object.values(providers).some(({ secretFields }) => Object.hasOwn(secretFields, key));
    const message = isSecret
      ? 'is a credential and must not be here: take it out, put it into the secret in Secrets Manager, and renew it'
      : `is not a key of a connection. Its keys: ${known.map((name) => `\`${name}\``).join(', ')}`;
    return createProblem([...at, key], message);
  });
}

/** Fills in what depends on other keys. */
function buildConnection(
  name: string,
  provider: Provider,
  settings: Connection['settings'],
  declaration: CheckedDeclaration,
): Connection {
  const baseUrl = canonicalizeUrl(declaration.baseUrl);
  const login = {
    provider: { ...provider, name: declaration.provider },
    baseUrl,
    secret: declaration.secret ?? `token-broker/${name}`,
    settings: fillDefaults(provider, settings, baseUrl),
  };
  const { system, [userKeyOf(provider)]: users } = declaration.subjects ?? {};
  return {
    ...declaration,
    ...login,
    name,
    subjects: {
      system: system ?? provider.logins.system !== undefined,
      users: users ?? provider.userSubject !== undefined,
    },
    ...(isRotating(provider) && { keptSecret: `token-broker/${name}/kept` }),
    proxyOnly: isProxyOnly(provider),
    idleSeconds: declaration.idleSeconds ?? Math.max(SHORTEST_IDLE_SECONDS, lifetimeSecondsOf(declaration)),
    isolation: declaration.isolation ?? name,
    fingerprint: fingerprintOf(login),
  };
}

/** Fills in a default. It may name the base URL and other settings, as a text does. */
function fillDefaults(
  { settings: declared = {} }: Provider,
  settings: Connection['settings'],
  baseUrl: string,
): Connection['settings'] {
  const filled = Object.entries(settings).map(([name, value]) => {
    const isDefault = value === declared[name]?.default;
    return [name, isDefault ? (fillText(value, { ...settings, baseUrl }) ?? value) : value];
  });
  return Object.fromEntries(filled);
}

/** Finds what is allowed but unsafe in one connection. */
function findWarnings(connection: Connection, provider: Provider): string[] {
  const { name, baseUrl, allowPlainHttp, secret, settings, proxy } = connection;
  const at = `connections.${name}`;
  const [, end] = LIKELY_NAME_END.exec(secret) ?? [];
  const short =
    end === undefined
      ? []
      : [
          `${at}.secret ends in \`${end}\`. If that is of the secret's name, the ARN lacks the six characters that Secrets Manager put after it, and names no secret: \`aws secretsmanager describe-secret\` shows the whole ARN.`,
        ];
  const plain = isPlainHttp(baseUrl)
    ? [`${at}.allowPlainHttp: credential and tokens of this connection travel unencrypted.`]
    : allowPlainHttp
      ? [`${at}.allowPlainHttp has no effect on this baseUrl: take it out.`]
      : [];
  const writes = proxy?.methods.filter((method) => !READING_METHODS.has(method)) ?? [];
  const open =
    writes.length > 0 && proxy?.paths.includes('/') === true
      ? [
          `${at}.proxy forwards ${writes.join(', ')} under \`/\`, so a caller may do whatever the credential may: name the paths that callers need.`,
        ]
      : [];
  const words = Object.entries(provider.settings ?? {}).flatMap(([key, { warnings = {} }]) => {
    const value = settings[key] ?? '';
    const warning = Object.hasOwn(warnings, value) ? warnings[value] : undefined;
    return warning === undefined ? [] : [`${at}.${key}: \`${value}\` ${warning}.`];
  });
  return [
    ...plain,
    ...short,
    ...open,
    ...words,
    ...findProviderWarnings(provider).map((each) => `${at}.provider: ${each}.`),
  ];
}

/** Finds isolation groups whose connections differ in network: they run in the same functions, so in one network. */
function findSplitGroups(connections: readonly Connection[]): Problem[] {
  return connections.flatMap((connection) => {
    const first = connections.find(({ isolation }) => isolation === connection.isolation) ?? connection;
    const message = `shares functions with ${first.name}, so both must declare the same \`vpc\` and \`securityGroups\``;
    const isOneNetwork = networkOf(first) === networkOf(connection);
    return isOneNetwork ? [] : createProblem(['connections', connection.name, 'isolation'], message);
  });
}

function networkOf({ vpc, securityGroups }: Connection): string {
  return JSON.stringify([vpc ?? null, [...(securityGroups ?? [])].sort()]);
}

/** Finds connections that share a credential that rotates: each would spend what the other needs. */
function findSharedRotation(connections: readonly Connection[]): Problem[] {
  return connections.flatMap((connection) => {
    const { name, secret, keptSecret } = connection;
    const other = connections.find((each) => each.secret === secret && each.name !== name);
    if (keptSecret === undefined || other === undefined) return [];
    const message = `is also that of ${other.name}, and its refresh token rotates: consent once more, and give each connection a secret of its own`;
    return createProblem(['connections', name, 'secret'], message);
  });
}
