import type { Connection } from '../slot/connection.ts';
import { extendTtl, REFUSAL_KEPT_SECONDS } from '../slot/item-end.ts';
import type { DataKey, Keys } from '../slot/keys.ts';
import { isRejected, type SlotRecord } from '../slot/record.ts';
import { countRefusal, type Refusal, type Refusals, startRefusals } from '../slot/refusals.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Telemetry } from '../words/platform.ts';
import type { AttemptFailure } from './outcome.ts';
import type { Secrets, SecretVersion } from './secrets.ts';

/** Age up to which a copy of the secret serves every slot; an older one only slots that its version has served. */
const SECRET_TRUSTED_MS = 5_000;
/** Number of slots refused in a row under one version that stops all logins of a connection. */
const REFUSALS_THAT_STOP = 3;
/** Most rounds to record a refusal. A round fails only if another secret version was written in between. */
const ROUNDS = 5;

/** Material for a login, read before anything is sent. */
export interface LoginMaterial {
  readonly secret: SecretVersion;
  readonly key: DataKey;
  readonly closedKey: DataKey | undefined;
  readonly refusals: Refusals | undefined;
}

/** Slot that needs a login. */
export interface Preparing {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly record: SlotRecord;
  readonly keepsClosed: boolean;
}

/** Lockout protection: no login with a version of the secret that the upstream is known to refuse. */
export interface LoginGate {
  /** Reads secret, data key and refusals in parallel; returns a failure if the version was refused. */
  prepare(attempt: Preparing): Promise<LoginMaterial | AttemptFailure>;
  /** Forgets the refusals that this success disproves. */
  succeeded(connection: Connection, material: LoginMaterial): Promise<void>;
  /** Counts a definite refusal. */
  refused(slot: Slot, secretVersion: string): Promise<void>;
}

export function createLoginGate({
  store,
  keys,
  secrets,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): LoginGate {
  async function readSecret(connection: Connection, record: SlotRecord): Promise<SecretVersion> {
    const { secret } = connection;
    // Bypass the cache if the last secret was refused or invalid, or the token reported dead: it may have been rotated.
    // Where the credential rotates, an older version may bring a spent value back.
    if (connection.keptSecret !== undefined) return secrets.current({ secret, maxAgeMs: 0 });
    const wantsNewVersion = record.refusedVersion !== undefined || record.failure?.code === 'secret_invalid';
    if (wantsNewVersion || isRejected(record)) return secrets.current({ secret, maxAgeMs: 0 });
    const knownVersion = record.token?.secretVersion;
    return secrets.current({ secret, maxAgeMs: SECRET_TRUSTED_MS, knownVersion });
  }

  /** Tolerates a failed count, which must neither undo a successful login nor hide the upstream's answer. */
  async function tolerate(work: Promise<void>, connection: string): Promise<void> {
    try {
      await work;
    } catch {
      telemetry.warn('The count of refused slots could not be written.', { connection });
    }
  }

  return {
    async prepare({ connection, slot, record, keepsClosed }) {
      const [kept, key, closedKey, refusals] = await Promise.all([
        readSecret(connection, record),
        keys.generate(slot),
        keepsClosed ? keys.generate(slot, 'closed') : undefined,
        store.refusals(connection.name),
      ]);
      if (kept.versionId === record.refusedVersion) return createRefusedFailure(connection, record);
      if (!stopsLogins(refusals, kept.versionId)) return { secret: kept, key, closedKey, refusals };

      const secret = await secrets.current({ secret: connection.secret, maxAgeMs: 0 });
      if (stopsLogins(refusals, secret.versionId)) return createRefusedFailure(connection, record);
      return { secret, key, closedKey, refusals };
    },

    async succeeded(connection, { refusals }) {
      if (refusals !== undefined) await tolerate(store.clearRefusals(connection.name), connection.name);
    },

    async refused(slot, secretVersion) {
      const ttlSeconds = extendTtl(0, clock.now(), REFUSAL_KEPT_SECONDS);
      await tolerate(recordRefusal(store, { slot, secretVersion, ttlSeconds }), slot.connection);
    },
  };
}

/** Adds a slot to those refused under a secret version; a new version starts the count again. */
export async function recordRefusal(store: Pick<Store, 'writeRefusals'>, refusal: Refusal): Promise<void> {
  const { connection } = refusal.slot;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (await store.writeRefusals(connection, countRefusal(refusal))) return;
    if (await store.writeRefusals(connection, startRefusals(refusal))) return;
  }
  throw new BrokerError('store_unavailable', 'Writers of other secret versions were quicker each time.');
}

function stopsLogins(refusals: Refusals | undefined, versionId: string): boolean {
  return refusals !== undefined && refusals.secretVersion === versionId && refusals.slots.size >= REFUSALS_THAT_STOP;
}

function createRefusedFailure(connection: Connection, { failure, refusedVersion }: SlotRecord): AttemptFailure {
  // Whatever failed since then: where the credential rotates, a refused one is a spent one, unless its client was refused.
  const isSpent = connection.keptSecret !== undefined && failure?.code !== 'upstream_credential_rejected';
  const remedy = isSpent
    ? 'Consent again, and put the new refresh token into the secret'
    : 'Put the right value into the secret';
  return {
    way: 'login',
    code: isSpent ? 'reauthorization_required' : 'upstream_credential_rejected',
    detail: `The upstream of ${connection.name} refused the credential, and its secret has had no new version since. ${remedy}.`,
    backOff: 'refused',
    countsAsTry: false,
    refusedVersion,
  };
}
