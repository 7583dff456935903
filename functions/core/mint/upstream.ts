import type { BackOffKind } from '../slot/back-off.ts';
import type { Connection } from '../slot/connection.ts';
import type { IssuedLife } from '../slot/lifetime.ts';
import type { KeptValues } from '../slot/token.ts';
import type { Trial } from '../slot/trial.ts';
import type { BrokerErrorCode } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Secret } from '../words/secret.ts';

export interface IssuedToken {
  readonly kind: 'token';
  readonly value: Secret<string>;
  readonly life: IssuedLife;
  /** Time at which the first request was sent; epoch milliseconds. */
  readonly requestStartedAt: number;
  /** Present after a login. */
  readonly attributes?: JsonObject;
  /** Values that an API call needs beside the token. */
  readonly values?: KeptValues;
  /** Values for `mint` and `proxy` alone: parts of the credential for API calls, and the refresh token. */
  readonly closed?: Secret<KeptValues>;
  /** For the operator's log, never for callers. */
  readonly warning?: string;
  /** Warning of an end that could not be read, or of a scope that was not granted; for log and status. */
  readonly tokenWarning?: string;
}

export interface UpstreamFailure {
  readonly kind: 'failure';
  readonly code: BrokerErrorCode;
  readonly backOff: BackOffKind;
  /** For the caller: what happened and what to do; free of credentials, tokens and bodies. */
  readonly detail: string;
  /** Part of the answer that decided the failure, or the fault of TLS, in words; absent if there was neither. */
  readonly evidence?: string;
  readonly retryAfterMs?: number;
  /** For the operator's log, never for callers: a part of the credential that this upstream may misread. */
  readonly warning?: string;
  /** Known from before: nothing was sent. */
  readonly isKnown?: true;
  /** With a renewal: the upstream said that the session has ended (C19). */
  readonly ended?: true;
  /** With a renewal: it was answered well and brought no new token (C16), so that another would bring none either. */
  readonly unrenewed?: true;
}

export type UpstreamOutcome = IssuedToken | UpstreamFailure;

/** Ways in which a connection gets its tokens, as far as `mint` must know. */
export interface Ways {
  /** Way to get the next token without logging in. Absent: it logs in again. */
  readonly renewal?: {
    readonly source: 'slide' | 'refresh';
    /** The request names fields of the secret. */
    readonly needsSecret: boolean;
  };
  /** Request that ends a token at the upstream. Absent: it is left to end by itself. */
  readonly logout?: {
    /** The request names fields of the secret. */
    readonly needsSecret: boolean;
  };
  /** Set if its logins give values that only `mint` and `proxy` may open. */
  readonly keepsClosed: boolean;
}

/** One attempt against the upstream, whatever it is for. */
export interface UpstreamAttempt {
  readonly connection: Connection;
  readonly subject: string;
  /** Time for the whole chain of requests. */
  readonly timeoutMs: number;
}

/** A token to send with a request of its own, with what was kept beside it. */
export interface HeldToken {
  readonly token: Secret<string>;
  readonly values: KeptValues;
  readonly closed: Secret<KeptValues> | undefined;
  /** Set if `waysOf` says that it is needed. */
  readonly secret: Secret<string> | undefined;
}

/** Keeps the next values of the secret's fields that rotate. Never throws: what cannot be kept is reported. */
export type KeepValues = (next: Secret<KeptValues>) => Promise<void>;

/** A provider at work: one attempt against the upstream, failures as values. */
export interface Upstream {
  login(
    attempt: UpstreamAttempt & {
      readonly secret: Secret<string>;
      /** Gets the report of the login once it is over. Without it nothing is recorded. */
      readonly onTrial?: ((trial: Trial) => void) | undefined;
      /** Called as soon as an answer gives a next value, before anything else is done with it. */
      readonly keep?: KeepValues | undefined;
    },
  ): Promise<UpstreamOutcome>;
  waysOf(connection: Connection): Ways;
  renew(attempt: UpstreamAttempt & HeldToken): Promise<UpstreamOutcome>;
  /** Ends a token. Returns the failure if it may live on. */
  logout(attempt: UpstreamAttempt & HeldToken): Promise<UpstreamFailure | undefined>;
}
