import type { JsonObject } from '../core/words/json.ts';

/** Whose keys, and where they are; without `jwksUri` the issuer's discovery document says it. */
export interface KeySource {
  readonly issuer: string;
  readonly jwksUri?: string;
}

/** A JSON Web Key Set (RFC 7517 §5). The same object for as long as the issuer's keys were not fetched again. */
export interface IssuerKeySet {
  readonly keys: readonly JsonObject[];
}

/** There is no saying whether the issuer has the key that was asked for: it does not answer. */
export interface KeysUnavailable {
  readonly unavailable: true;
  /** How long until it is asked again. */
  readonly retryAfterMs: number;
}

/** The keys that issuers of JWTs publish. */
export interface IssuerKeys {
  /**
   * The issuer's keys. Where `keyId` is given and none of them has it, they are fetched once more, but not for every
   * token that names an unknown key. Never throws.
   */
  keysOf(source: KeySource, keyId: string | undefined): Promise<IssuerKeySet | KeysUnavailable>;
}
