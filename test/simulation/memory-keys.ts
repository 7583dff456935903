import type { Keys, KeyUse } from '../../functions/core/slot/keys.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** The probability that the keys are unavailable. */
export interface KeysWeather {
  down: number;
}

/** The keys that were made, with the context that each was made for. */
export type KeyRing = Map<string, { readonly context: string; readonly plaintext: Secret<Uint8Array> }>;

const KEY_BYTES = 32;

/** Creates one process's way to the key ring; a key opens only for the connection and use that it was made for. */
export function createMemoryKeys({
  ring,
  process,
  random,
  weather,
  onCall,
}: {
  readonly ring: KeyRing;
  readonly process: SimulatedProcess;
  readonly random: SeededRandom;
  readonly weather: KeysWeather;
  /** Hears of each call before it is answered. */
  readonly onCall?: ((call: { readonly operation: keyof Keys }) => Promise<unknown>) | undefined;
}): Keys {
  async function reach(operation: keyof Keys): Promise<void> {
    await process.network();
    if (onCall !== undefined) await onCall({ operation });
    if (random.chance(weather.down)) throw new BrokerError('kms_unavailable', 'The simulated keys are not to be had.');
  }

  return {
    async generate(connection, use) {
      await reach('generate');
      const id = random.uuid();
      const plaintext = new Secret(random.bytes(KEY_BYTES));
      ring.set(id, { context: contextOf(connection, use), plaintext });
      return { plaintext, encrypted: Buffer.from(id) };
    },
    async decrypt(connection, encrypted, use) {
      await reach('decrypt');
      const key = ring.get(Buffer.from(encrypted).toString());
      return key?.context === contextOf(connection, use) ? key.plaintext : undefined;
    },
  };
}

function contextOf(connection: string, use: KeyUse = 'token'): string {
  return JSON.stringify([connection, ...(use === 'token' ? [] : [use])]);
}
