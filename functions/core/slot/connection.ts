import { createHash } from 'node:crypto';

/** What the proxy may forward. Methods in upper case; paths are prefixes; seconds. */
export interface ProxyPolicy {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly headers: readonly string[];
  readonly timeoutSeconds: number;
}

/** Which subjects a connection serves; `staff` is all, none, or those listed. */
export interface ServedSubjects {
  readonly system: boolean;
  readonly staff: boolean | readonly string[];
}

/**
 * One configured upstream with every default filled in. Made from the operator's declaration once, at synth or at
 * start; functions read it back without validating it again. Holds names and ARNs, never a value of a secret.
 */
export interface Connection {
  readonly name: string;
  readonly provider: string;
  readonly baseUrl: string;
  readonly allowPlainHttp: boolean;
  /** Name or ARN of the secret, without a version. */
  readonly secret: string;
  readonly subjects: ServedSubjects;
  readonly minTtlSeconds: number;
  readonly refreshAfter: number;
  readonly idleSeconds: number;
  readonly maxTokenAgeSeconds: number;
  readonly memorySeconds: number;
  readonly timeoutSeconds: number;
  readonly renewalCooldownSeconds: number;
  readonly tokensOverlap: boolean;
  /** Life of a token where the provider fixes it; absent where each token says its own. */
  readonly lifetimeSeconds?: number;
  /** Longest chain of slides; absent where the provider has no slides. */
  readonly maxSessionSeconds?: number;
  /** The provider's own settings (paths, how the login parameter travels), by their configuration key. */
  readonly settings: Readonly<Record<string, string>>;
  /** How a token travels to the upstream. */
  readonly placement: TokenPlacement;
  readonly proxy?: ProxyPolicy;
  /** The group of connections that share `mint` and `proxy` functions; the connection's own name by default. */
  readonly isolation: string;
  readonly vpc?: string;
  readonly securityGroups?: readonly string[];
  readonly caCertificate?: string;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
}

/** The header that carries a token, and the scheme before it, if any (RFC 6750 §2.1 for `Bearer`). */
export interface TokenPlacement {
  readonly header: string;
  readonly scheme?: string;
}

/** All that changes the token of a slot: the fields that `fingerprintOf` covers. */
export type FingerprintedFields = Pick<Connection, 'provider' | 'baseUrl' | 'secret' | 'settings'>;

/** 16 hex digits over all that changes a connection's tokens: provider, base URL, secret without version, login settings. */
export function fingerprintOf(fields: FingerprintedFields): string {
  const settings = Object.entries(fields.settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([fields.provider, fields.baseUrl, fields.secret, settings]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * The longest life a fresh token of this connection can have, in seconds: `maxTokenAgeSeconds` bounds a life that the
 * provider fixes, too.
 */
export function lifetimeSecondsOf({
  lifetimeSeconds,
  maxTokenAgeSeconds,
}: Pick<Connection, 'lifetimeSeconds' | 'maxTokenAgeSeconds'>): number {
  return Math.min(lifetimeSeconds ?? maxTokenAgeSeconds, maxTokenAgeSeconds);
}
