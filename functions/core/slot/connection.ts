import { createHash } from 'node:crypto';
import type { ResolvedProvider } from './provider.ts';

/** Calls that the proxy may forward. Methods in upper case; paths are prefixes; seconds. */
export interface ProxyPolicy {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly headers: readonly string[];
  readonly timeoutSeconds: number;
}

/** Subjects that a connection serves; `users` is all, none, or those listed. */
export interface ServedSubjects {
  readonly system: boolean;
  readonly users: boolean | readonly string[];
}

/**
 * One configured upstream with every default filled in. Made from the operator's declaration once, at synth or at
 * start; functions read it back without validating it again. Holds names and ARNs, never a value of a secret.
 */
export interface Connection {
  readonly name: string;
  readonly provider: ResolvedProvider;
  readonly baseUrl: string;
  readonly allowPlainHttp: boolean;
  /** Name or ARN of the secret, without a version. */
  readonly secret: string;
  /** Name of the broker's own secret, for the values of fields that rotate. Absent if none does. */
  readonly keptSecret?: string;
  readonly subjects: ServedSubjects;
  readonly minTtlSeconds: number;
  readonly refreshAfter: number;
  readonly idleSeconds: number;
  readonly maxTokenAgeSeconds: number;
  readonly memorySeconds: number;
  readonly timeoutSeconds: number;
  readonly renewalCooldownSeconds: number;
  readonly tokensOverlap: boolean;
  /** Life of a token if the provider fixes it; absent if each token gives its own. */
  readonly lifetimeSeconds?: number;
  /** Longest chain of slides; absent if the provider has no slides. */
  readonly maxSessionSeconds?: number;
  /** The provider's own settings (paths, how the login parameter travels), by their configuration key. */
  readonly settings: Readonly<Record<string, string>>;
  /** An API call carries a part of the credential beside the token, so the proxy alone may make one. */
  readonly proxyOnly: boolean;
  readonly proxy?: ProxyPolicy;
  /** The group of connections that share `mint` and `proxy` functions; the connection's own name by default. */
  readonly isolation: string;
  /** Region of the one broker that logs in for the connection; absent if any may. */
  readonly homeRegion?: string;
  readonly vpc?: string;
  readonly securityGroups?: readonly string[];
  readonly caCertificate?: string;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
}

/** Fields that `fingerprintOf` covers: those that change the token of a slot. */
export type FingerprintedFields = Pick<Connection, 'provider' | 'baseUrl' | 'secret' | 'settings'>;

/**
 * Computes 16 hex digits over the configuration that changes a connection's tokens: the provider's data, base URL,
 * secret without version, settings. Rules for answers, limits and attributes change no token and are left out.
 */
export function fingerprintOf({ provider, baseUrl, secret, settings }: FingerprintedFields): string {
  const { answers: _answers, limits: _limits, attributes: _attributes, ...changing } = provider;
  return createHash('sha256')
    .update(JSON.stringify([sortMembers(changing), baseUrl, secret, sortMembers(settings)]))
    .digest('hex')
    .slice(0, 16);
}

/** Sorts the members of JSON, for one order. Derived values keep their order, which is part of their meaning. */
function sortMembers(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => sortMembers(each));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const sorted = name === 'derived' ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([key, each]) => [key, sortMembers(each, key)]);
}

/**
 * Returns the longest life of a fresh token of this connection, in seconds. `maxTokenAgeSeconds` bounds a life that the
 * provider fixes, too.
 */
export function lifetimeSecondsOf({
  lifetimeSeconds,
  maxTokenAgeSeconds,
}: Pick<Connection, 'lifetimeSeconds' | 'maxTokenAgeSeconds'>): number {
  return Math.min(lifetimeSeconds ?? maxTokenAgeSeconds, maxTokenAgeSeconds);
}
