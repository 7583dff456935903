import type { Connection } from '../core/slot/connection.ts';
import { kindsServedBy, type Provider } from '../providers/provider.ts';
import type { Problem } from './configuration-error.ts';
import { isLoopback, originProblem } from './origins.ts';
import type { SharedDeclaration } from './schema.ts';

/** A rule across keys: it gets those with which nothing is wrong by themselves, and names one key with each fault. */
export interface RuleInput {
  readonly declared: Partial<SharedDeclaration>;
  readonly provider: Provider | undefined;
  readonly providerName: string;
  /** Whether a key is declared at all, be it faulty or not. */
  readonly declares: (key: keyof SharedDeclaration) => boolean;
}

/** Allowed skew between clocks, in seconds: what a token must have left beyond `minTtlSeconds`. */
const SKEW_SECONDS = 5;

/** The faults of one connection that show only across keys. Paths are relative to the connection. */
export function crossProblems(input: RuleInput): readonly Problem[] {
  return [
    ...baseUrlProblems(input),
    ...subjectProblems(input),
    ...overlapProblems(input),
    ...headerProblems(input),
    ...networkProblems(input),
  ];
}

function baseUrlProblems({ declared: { baseUrl, allowPlainHttp } }: RuleInput): Problem[] {
  if (baseUrl === undefined) {
    return [];
  }
  const message = originProblem(baseUrl, {
    allowPlainHttp: allowPlainHttp === true,
    remedy: 'use https, or declare `allowPlainHttp: true` for an upstream in a private network',
  });
  return message === undefined ? [] : [{ path: 'baseUrl', message }];
}

function subjectProblems({ declared: { subjects }, provider, providerName }: RuleInput): Problem[] {
  if (subjects === undefined || provider === undefined) {
    return [];
  }
  const kinds = kindsServedBy(provider);
  const unserved = (['system', 'staff'] as const)
    .filter((kind) => !kinds[kind] && subjects[kind] !== undefined && subjects[kind] !== false)
    .map((kind) => ({ path: `subjects.${kind}`, message: `is not served by provider ${providerName}: take it out` }));
  const servesNone = [subjects.system ?? kinds.system, subjects.staff ?? kinds.staff].every(
    (served) => served === false,
  );
  return servesNone
    ? [{ path: 'subjects', message: 'leaves no subject to serve: allow `system` or `staff`' }]
    : unserved;
}

function overlapProblems({ declared: { tokensOverlap }, declares }: RuleInput): Problem[] {
  return tokensOverlap === false && !declares('proxy')
    ? [
        {
          path: 'tokensOverlap',
          message: 'is false, so only the proxy can use this connection (C18), but it has none: declare `proxy`',
        },
      ]
    : [];
}

function headerProblems({ declared: { proxy }, provider }: RuleInput): Problem[] {
  const own = provider?.placement.header.toLowerCase();
  return (proxy?.headers ?? []).flatMap((header, index) =>
    header === own
      ? [{ path: `proxy.headers[${index}]`, message: 'carries the token itself, which the proxy places: take it out' }]
      : [],
  );
}

function networkProblems({ declares }: RuleInput): Problem[] {
  return declares('securityGroups') && !declares('vpc')
    ? [{ path: 'securityGroups', message: 'needs the `vpc` that they are in' }]
    : [];
}

/** The times of a connection that must fit together; `lifeKey` is the key that says how long a token lives. */
export interface Timing {
  readonly minTtlSeconds: number;
  readonly refreshAfter: number;
  readonly lifetimeSeconds: number;
  readonly lifeKey: string;
}

/**
 * Says what is wrong with how a connection's times fit together: a token that is due for refresh must still have
 * `minTtlSeconds` and the skew of clocks left, or callers would find none between refresh and end.
 */
export function timingProblems({ minTtlSeconds, refreshAfter, lifetimeSeconds, lifeKey }: Timing): Problem[] {
  const remaining = lifetimeSeconds * (1 - refreshAfter);
  if (minTtlSeconds + SKEW_SECONDS < remaining) {
    return [];
  }
  const message = `${minTtlSeconds} + ${SKEW_SECONDS} must be less than what a token has left when it is refreshed: ${lifetimeSeconds} × (1 − ${refreshAfter}) = ${Number(remaining.toFixed(3))}. Lower minTtlSeconds or refreshAfter, or raise ${lifeKey}`;
  return [{ path: 'minTtlSeconds', message }];
}

/** What is allowed but unsafe in one connection. */
export function warningsOf(connection: Connection, provider: Provider): string[] {
  const at = `connections.${connection.name}`;
  const url = new URL(connection.baseUrl);
  const isPlain = url.protocol === 'http:' && !isLoopback(url);
  const plain = isPlain
    ? [`${at}.allowPlainHttp: credential and tokens of this connection travel unencrypted.`]
    : connection.allowPlainHttp
      ? [`${at}.allowPlainHttp has no effect on this baseUrl: take it out.`]
      : [];
  const settings = Object.entries(provider.settings).flatMap(([key, setting]) => {
    const value = connection.settings[key];
    const warning = setting.kind === 'enum' && value !== undefined ? setting.warnings?.[value] : undefined;
    return warning === undefined ? [] : [`${at}.${key}: \`${value}\` ${warning}.`];
  });
  return [...plain, ...settings];
}

/** What is wrong between connections: those of one isolation group run in the same functions, so in one network. */
export function isolationProblems(connections: readonly Connection[]): Problem[] {
  return connections.flatMap((connection) => {
    const first = connections.find(({ isolation }) => isolation === connection.isolation) ?? connection;
    return networkOf(first) === networkOf(connection)
      ? []
      : [
          {
            path: `connections.${connection.name}.isolation`,
            message: `shares functions with ${first.name}, so both must declare the same \`vpc\` and \`securityGroups\``,
          },
        ];
  });
}

function networkOf({ vpc, securityGroups }: Connection): string {
  return JSON.stringify([vpc ?? null, [...(securityGroups ?? [])].sort()]);
}
