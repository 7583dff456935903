import type { BackOffKind } from '../slot/back-off.ts';
import type { Connection } from '../slot/connection.ts';
import type { IssuedLife } from '../slot/lifetime.ts';
import type { BrokerErrorCode } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Secret } from '../words/secret.ts';

export type UpstreamOutcome =
  | {
      readonly kind: 'token';
      readonly value: Secret<string>;
      readonly life: IssuedLife;
      /** When the request was sent; epoch milliseconds. */
      readonly requestStartedAt: number;
      /** Present after a login. */
      readonly attributes?: JsonObject;
      /** See `UpstreamFailure`. */
      readonly warning?: string;
    }
  | UpstreamFailure;

export interface UpstreamFailure {
  readonly kind: 'failure';
  readonly code: BrokerErrorCode;
  readonly backOff: BackOffKind;
  /** For the caller: what happened and what to do; free of credentials, tokens and bodies. */
  readonly detail: string;
  readonly retryAfterMs?: number;
  /** For the operator's log, never for callers: something about the credential that this upstream may not bear with. */
  readonly warning?: string;
  /** With a slide: the upstream said 401 to the current token (C19). */
  readonly unauthorized?: boolean;
}

/** A provider at work: one attempt against the upstream, never more than one request, failures as values. */
export interface Upstream {
  login(attempt: {
    readonly connection: Connection;
    readonly subject: string;
    readonly secret: Secret<string>;
    readonly timeoutMs: number;
  }): Promise<UpstreamOutcome>;
  /** Reports whether this connection can slide at all. */
  canSlide(connection: Connection): boolean;
  slide(attempt: {
    readonly connection: Connection;
    readonly subject: string;
    readonly token: Secret<string>;
    readonly timeoutMs: number;
  }): Promise<UpstreamOutcome>;
}
