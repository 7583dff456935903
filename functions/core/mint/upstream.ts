import type { BackOffKind } from '../slot/back-off.ts';
import type { Connection } from '../slot/connection.ts';
import type { IssuedLife } from '../slot/lifetime.ts';
import type { KeptValues } from '../slot/token.ts';
import type { BrokerErrorCode } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Secret } from '../words/secret.ts';

export interface IssuedToken {
  readonly kind: 'token';
  readonly value: Secret<string>;
  readonly life: IssuedLife;
  /** When the first request was sent; epoch milliseconds. */
  readonly requestStartedAt: number;
  /** Present after a login. */
  readonly attributes?: JsonObject;
  /** What an API call needs beside the token. */
  readonly values?: KeptValues;
  /** Parts of the credential in an API call, and what renews the token: for `mint` and `proxy` alone. */
  readonly closed?: Secret<KeptValues>;
  /** For the operator's log, never for callers. */
  readonly warning?: string;
}

export interface UpstreamFailure {
  readonly kind: 'failure';
  readonly code: BrokerErrorCode;
  readonly backOff: BackOffKind;
  /** For the caller: what happened and what to do; free of credentials, tokens and bodies. */
  readonly detail: string;
  /** What the answer was judged by, in words; absent where there was none. */
  readonly evidence?: string;
  readonly retryAfterMs?: number;
  /** For the operator's log, never for callers: something about the credential that this upstream may not bear with. */
  readonly warning?: string;
  /** With a renewal: the upstream said that the session has ended (C19). */
  readonly ended?: true;
}

export type UpstreamOutcome = IssuedToken | UpstreamFailure;

/** How a connection gets its tokens, as far as `mint` must know. */
export interface Ways {
  /** How it gets the next one without logging in. Absent: it logs in again. */
  readonly renewal?: {
    readonly source: 'slide' | 'refresh';
    /** The request names fields of the secret. */
    readonly needsSecret: boolean;
  };
  /** Its logins give values that `mint` and `proxy` alone may open. */
  readonly keepsClosed: boolean;
}

interface UpstreamAttempt {
  readonly connection: Connection;
  readonly subject: string;
  /** For the whole chain of requests. */
  readonly timeoutMs: number;
}

/** A provider at work: one attempt against the upstream, failures as values. */
export interface Upstream {
  login(attempt: UpstreamAttempt & { readonly secret: Secret<string> }): Promise<UpstreamOutcome>;
  waysOf(connection: Connection): Ways;
  renew(
    attempt: UpstreamAttempt & {
      readonly token: Secret<string>;
      readonly values: KeptValues;
      readonly closed: Secret<KeptValues> | undefined;
      /** Where `waysOf` says that it is needed. */
      readonly secret: Secret<string> | undefined;
    },
  ): Promise<UpstreamOutcome>;
}
