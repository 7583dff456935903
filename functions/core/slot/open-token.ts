import type { Telemetry } from '../words/platform.ts';
import type { Keys } from './keys.ts';
import { expiresAtOf, type SlotRecord } from './record.ts';
import { open } from './seal.ts';
import type { Slot } from './slot.ts';
import { shortHash, type Token } from './token.ts';

/**
 * Decrypts the token of a record. Returns undefined where there is none, or where it does not open: changed, or copied
 * from another item; that is an alarm, and the slot needs a fresh login. Throws `kms_unavailable`.
 */
export async function openToken(
  { keys, telemetry, broker }: { readonly keys: Keys; readonly telemetry: Telemetry; readonly broker: string },
  slot: Slot,
  record: SlotRecord,
): Promise<Token | undefined> {
  const sealed = record.token;
  if (sealed === undefined) return undefined;
  const { issuedAt, refreshAt, secretVersion, hash } = sealed;
  const { generation } = record;
  const key = await keys.decrypt(slot, sealed.dataKey);
  const content = key && open(sealed, key, { broker, slot, generation });
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
  return { ...content, issuedAt, expiresAt: expiresAtOf(sealed), refreshAt, generation, hash, secretVersion };
}
