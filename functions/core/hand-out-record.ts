import type { Connection } from './connection.ts';
import type { Audit, Clock, HandOutRoute, HandOutSource, Telemetry } from './ports.ts';
import type { Slot } from './slot.ts';
import { remainingSeconds, type Token } from './token.ts';

/**
 * Records a hand-out, for the audit and for the metrics. It has been written down once this ends, so a token is handed
 * out after it and not before (invariant 10). Throws `audit_unavailable` where a strict audit could not be written.
 */
export async function recordHandOut(
  { audit, telemetry, clock }: { readonly audit: Audit; readonly telemetry: Telemetry; readonly clock: Clock },
  to: {
    readonly connection: Connection;
    readonly slot: Slot;
    /** ARN of the IAM principal, or the federated identity. */
    readonly caller: string;
    readonly requestId: string;
    readonly via?: HandOutRoute;
  },
  { token, source }: { readonly token: Token; readonly source: HandOutSource },
): Promise<void> {
  const { connection, slot, caller, requestId, via } = to;
  const at = clock.now();
  await audit.handOut({
    caller,
    connection: slot.connection,
    subject: slot.subject,
    tokenHash: token.hash,
    generation: token.generation,
    secretVersion: token.secretVersion,
    source,
    ...(via === undefined ? {} : { via }),
    requestId,
    at,
  });
  telemetry.metrics(
    { connection: connection.name, source },
    {
      HandOuts: { unit: 'Count', value: 1 },
      SecondsToExpiry: { unit: 'Seconds', value: remainingSeconds(token, at) },
    },
  );
}
