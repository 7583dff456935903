import { randomBytes } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { attributesIn, slotLayout } from '../../functions/adapters/dynamodb/item.ts';
import { systemRandom } from '../../functions/adapters/system.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { DataKey } from '../../functions/core/slot/keys.ts';
import { EMPTY_RECORD } from '../../functions/core/slot/record.ts';
import { sealNext } from '../../functions/core/slot/seal.ts';
import { type Slot, SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import { Secret } from '../../functions/core/words/secret.ts';

const DAY_MS = 86_400_000;
const KEY_BYTES = 32;
const TOKEN_BYTES = 1_024;

/** The item of a slot that holds a token of 1 KB, and the data key that opens it. */
export interface SealedSlot {
  readonly item: Readonly<Record<string, AttributeValue>>;
  readonly dataKey: Uint8Array;
}

/** The start, refresh and end of a slot's token; epoch milliseconds. */
export interface Times {
  readonly issuedAt: number;
  readonly refreshAt: number;
  readonly expiresAt: number;
  /** Time from its lease to its publication; milliseconds. */
  readonly mintMs?: number;
}

/** Makes the item of a subject, the connection's own identity by default, as a login a minute ago would have left it. */
export function sealedSlot(
  broker: string,
  connection: Connection,
  subject = SYSTEM,
  dataKey: Uint8Array = randomBytes(KEY_BYTES),
): SealedSlot {
  const now = Date.now();
  const times = { issuedAt: now - 60_000, refreshAt: now + DAY_MS / 2, expiresAt: now + DAY_MS };
  const key = { plaintext: new Secret<Uint8Array>(dataKey), encrypted: randomBytes(184) };
  return { item: slotItem(broker, slotOf(connection, subject), key, times), dataKey };
}

/** Makes the item of a slot with a token of these times, sealed under `key`, that is in use. */
export function slotItem(
  broker: string,
  slot: Slot,
  key: DataKey,
  { mintMs, ...times }: Times,
): Record<string, AttributeValue> {
  const value = randomBytes(TOKEN_BYTES).toString('base64url').slice(0, TOKEN_BYTES);
  const token = sealNext({ broker, random: systemRandom }, slot, EMPTY_RECORD, {
    ...times,
    value: new Secret(value),
    attributes: {},
    values: {},
    key,
    secretVersion: 'a'.repeat(32),
    sessionStartedAt: times.issuedAt,
  });
  const layout = slotLayout(slot);
  const record = { generation: 1, token: { ...token, mintMs }, lastHandedOutAt: Date.now(), dueAt: times.refreshAt };
  return { ...layout.key, ...attributesIn(layout, record) };
}
