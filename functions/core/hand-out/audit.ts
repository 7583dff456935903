import type { Connection } from '../slot/connection.ts';
import type { MintSource } from '../slot/mint-message.ts';
import type { Slot } from '../slot/slot.ts';
import { remainingSeconds, type Token } from '../slot/token.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

/** Record of a hand-out: the caller, the token and its source. Written before the answer. */
export interface HandOutRecord {
  readonly caller: string;
  readonly connection: string;
  readonly subject: string;
  readonly tokenHash: string;
  readonly generation: number;
  readonly secretVersion: string;
  readonly source: HandOutSource;
  /** Route by which the caller got it, if not directly. */
  readonly via?: HandOutRoute | undefined;
  readonly requestId: string;
  readonly at: number;
}

/** `proxy`: placed in a proxied call, never seen by the caller. `exchange`: for a federated workload. */
export type HandOutRoute = 'proxy' | 'exchange';

export type HandOutSource = 'cache' | MintSource;

/** Log of hand-outs. Throws `audit_unavailable`: then no token is handed out. */
export interface Audit {
  handOut(record: HandOutRecord): Promise<void> | void;
}

/**
 * Records a hand-out, for the audit and for the metrics. The record is written once this returns, and only then is the
 * token handed out (invariant 10). Throws `audit_unavailable` if a strict audit could not be written.
 */
export async function recordHandOut(
  { audit, telemetry, clock }: { readonly audit: Audit; readonly telemetry: Telemetry; readonly clock: Clock },
  to: {
    readonly connection: Connection;
    readonly slot: Slot;
    /** ARN of the IAM principal, or the federated identity. */
    readonly caller: string;
    readonly requestId: string;
    readonly via?: HandOutRoute | undefined;
  },
  { token, source }: { readonly token: Token; readonly source: HandOutSource },
): Promise<void> {
  const { connection, slot, caller, requestId, via } = to;
  const at = clock.now();
  const written = audit.handOut({
    caller,
    connection: slot.connection,
    subject: slot.subject,
    tokenHash: token.hash,
    generation: token.generation,
    secretVersion: token.secretVersion,
    source,
    via,
    requestId,
    at,
  });
  // A log is written at once, and waiting for nothing takes time.
  if (written !== undefined) await written;
  telemetry.metrics(
    { connection: connection.name },
    { HandOuts: { unit: 'Count', value: 1 } },
    { isShared: true, fields: { source, SecondsToExpiry: remainingSeconds(token, at) } },
  );
}
