import type { UpstreamFailure } from '../mint/upstream.ts';
import type { Connection, ProxyPolicy } from '../slot/connection.ts';
import type { IssuedLife } from '../slot/lifetime.ts';
import type { Slot } from '../slot/slot.ts';
import type { KeptValues } from '../slot/token.ts';
import type { Secret } from '../words/secret.ts';

/** The status by which an upstream rejects a token. */
export const UNAUTHORIZED = 401;

/** What a caller wants of the upstream: already checked, and without anything that says who calls. */
export interface ForwardedRequest {
  readonly method: string;
  /** Begins with a slash; percent-encoded as it is to be sent, behind the connection's base URL. */
  readonly path: string;
  /** As the caller sent it, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What the upstream answered, without any header that holds a token. */
export interface ForwardedAnswer {
  readonly status: number;
  /** Every value, by lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array;
}

/** One call to an upstream by way of the broker. */
export interface ProxyCall {
  readonly connection: Connection;
  readonly policy: ProxyPolicy;
  readonly slot: Slot;
  readonly request: ForwardedRequest;
  readonly caller: string;
  readonly requestId: string;
  /** When the caller's answer must be ready; monotonic milliseconds. */
  readonly deadline: number;
}

export type ForwardOutcome =
  | {
      readonly kind: 'answer';
      readonly answer: ForwardedAnswer;
      /** The token that the answer renewed (C15). */
      readonly slid?: { readonly value: Secret<string>; readonly life: IssuedLife };
      /** When the request was sent; epoch milliseconds. */
      readonly requestStartedAt: number;
    }
  | UpstreamFailure;

/** One proxied request: the token is placed, nothing is retried, no redirect is followed. */
export interface Forwarder {
  forward(call: {
    readonly connection: Connection;
    readonly token: Secret<string>;
    readonly values: KeptValues;
    /** Parts of the credential that go with the call, where the provider has such. */
    readonly closed: Secret<KeptValues> | undefined;
    readonly request: ForwardedRequest;
    readonly timeoutMs: number;
  }): Promise<ForwardOutcome>;
}
