import { createObservability } from '../../functions/adapters/observability.ts';
import { CALLER, MEASURED } from '../broker.ts';

/** Counts the bytes that one hand-out writes to the log. */
export function countLogBytes(): number {
  let bytes = 0;
  const write = (line: string) => {
    bytes += Buffer.byteLength(line);
    return true;
  };
  // Only `write` is ever called.
  const output = Object.assign(Object.create(process.stdout), { write });
  const { telemetry, audit } = createObservability({ broker: 'token-broker', service: 'token', output });
  const record = { connection: MEASURED, subject: 'system', generation: 1, secretVersion: 'a'.repeat(36) };
  audit.handOut({
    ...record,
    caller: CALLER,
    tokenHash: 'a'.repeat(64),
    source: 'cache',
    requestId: 'a'.repeat(16),
    at: Date.now(),
  });
  telemetry.metrics(
    { connection: MEASURED },
    { HandOuts: { unit: 'Count', value: 1 } },
    { isShared: true, fields: { source: 'cache', SecondsToExpiry: 80_000 } },
  );
  return bytes;
}
