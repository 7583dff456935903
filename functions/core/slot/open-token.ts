import type { Telemetry } from '../words/platform.ts';
import type { Keys } from './keys.ts';
import { expiresAtOf, type SlotRecord } from './record.ts';
import { open, openClosed } from './seal.ts';
import type { Slot } from './slot.ts';
import { shortHash, type Token } from './token.ts';

/** Dependencies of opening a token. */
export interface Opening {
  readonly keys: Keys;
  readonly telemetry: Telemetry;
  /** Name of this broker: part of what a sealed token is bound to. */
  readonly broker: string;
  /** Set in `mint` and `proxy`: opens closed values too. */
  readonly opensClosed?: boolean;
}

/**
 * Decrypts the token of a record. Returns undefined if there is none, or if it does not open because its item was
 * changed or copied; that raises an alarm, and the slot needs a fresh login. Throws `kms_unavailable`.
 */
export async function openToken(
  { keys, telemetry, broker, opensClosed = false }: Opening,
  slot: Slot,
  record: SlotRecord,
): Promise<Token | undefined> {
  const sealed = record.token;
  if (sealed === undefined) return undefined;
  const { issuedAt, refreshAt, secretVersion, hash, sessionStartedAt, closedCiphertext, closedDataKey } = sealed;
  const { generation } = record;
  const wantsClosed = opensClosed && closedCiphertext !== undefined && closedDataKey !== undefined;
  const [key, closedKey] = await Promise.all([
    keys.decrypt(slot.connection, sealed.dataKey),
    wantsClosed ? keys.decrypt(slot.connection, closedDataKey, 'closed') : undefined,
  ]);
  const opened = key && open(sealed, key, { broker, slot, generation });
  const closed =
    wantsClosed && closedKey !== undefined
      ? openClosed(closedCiphertext, closedKey, { broker, slot, sessionStartedAt, secretVersion })
      : undefined;
  const content = wantsClosed && closed === undefined ? undefined : opened;
  if (content === undefined) {
    telemetry.metrics({ connection: slot.connection }, { CiphertextRejected: { unit: 'Count', value: 1 } });
    telemetry.warn('A stored token did not decrypt and was discarded: its item was changed or copied.', {
      connection: slot.connection,
      subject: slot.subject,
      generation,
      tokenHash: shortHash(hash),
    });
    return undefined;
  }
  return {
    ...content,
    ...(closed && { closed }),
    issuedAt,
    expiresAt: expiresAtOf(sealed),
    refreshAt,
    generation,
    hash,
    secretVersion,
  };
}
