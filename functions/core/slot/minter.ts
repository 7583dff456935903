import type { Connection } from './connection.ts';
import type { LogoutRequest, MintReply, MintRequest } from './mint-message.ts';

/** Result of an invocation of `mint`: its reply, or the reason why there is none. */
export type MintInvocation =
  | { readonly kind: 'reply'; readonly reply: MintReply }
  /** Throttled, or could not connect: `mint` has not run. */
  | { readonly kind: 'refused' }
  /** Sent, and no answer in time. */
  | { readonly kind: 'unanswered' }
  /** `mint` itself failed. */
  | { readonly kind: 'function_error' };

/** The `mint` functions. Invoked once, without retries. */
export interface MintInvoker {
  invoke(connection: Connection, request: MintRequest, timeoutMs: number): Promise<MintInvocation>;
  /** Asks without waiting for the result. Reports whether Lambda took it; never throws. */
  ask(connection: Connection, request: MintRequest | LogoutRequest): Promise<boolean>;
}
