import type { UpstreamFailure } from '../mint/upstream.ts';
import type { Connection, ProxyPolicy } from '../slot/connection.ts';
import type { IssuedLife } from '../slot/lifetime.ts';
import type { Slot } from '../slot/slot.ts';
import type { KeptValues } from '../slot/token.ts';
import type { Secret } from '../words/secret.ts';

/** The status by which an upstream rejects a token. */
export const UNAUTHORIZED = 401;

/** Request of a caller to the upstream: already checked, and without anything that identifies the caller. */
export interface ForwardedRequest {
  readonly method: string;
  /** Begins with a slash; percent-encoded as it is to be sent, behind the connection's base URL. */
  readonly path: string;
  /** As the caller sent it, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Answer of the upstream, without the headers that hold a token. */
export interface ForwardedAnswer {
  readonly status: number;
  /** Every value, by lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array;
  /** Path and query behind the base URL that its `location` leads to; absent where it leads elsewhere. */
  readonly behindBase?: string | undefined;
}

/** One call to an upstream through the broker. */
export interface ProxyCall {
  readonly connection: Connection;
  readonly policy: ProxyPolicy;
  readonly slot: Slot;
  readonly request: ForwardedRequest;
  readonly caller: string;
  readonly requestId: string;
  /** Time by which the caller's answer must be ready; monotonic milliseconds. */
  readonly deadline: number;
}

export type ForwardOutcome =
  | {
      readonly kind: 'answer';
      readonly answer: ForwardedAnswer;
      /** The token that the answer renewed (C15). */
      readonly slid?: { readonly value: Secret<string>; readonly life: IssuedLife; readonly tokenWarning?: string };
      /** Time at which the request was sent; epoch milliseconds. */
      readonly requestStartedAt: number;
    }
  | UpstreamFailure;

/** Sends one proxied request with the token placed; retries nothing and follows no redirect. */
export interface Forwarder {
  forward(call: {
    readonly connection: Connection;
    readonly subject: string;
    readonly token: Secret<string>;
    readonly values: KeptValues;
    /** Parts of the credential that go with the call, if the provider has any. */
    readonly closed: Secret<KeptValues> | undefined;
    readonly request: ForwardedRequest;
    readonly timeoutMs: number;
  }): Promise<ForwardOutcome>;
}
