import * as changes from '../slot/kept.ts';
import { type KeptRecord, NOTHING_KEPT, type WaitingValue } from '../slot/kept.ts';
import { leaseLengthMs } from '../slot/lease.ts';
import { openKept } from '../slot/seal.ts';
import { BrokerError } from '../words/errors.ts';
import { createKeeper, type HeldValues, type KeptDependencies, type KeptLogin, type SendLogin } from './keep.ts';
import {
  chooseKept,
  follows,
  type KeptValue,
  type KeptVersion,
  nameOfValue,
  overlay,
  parseKeptVersion,
  readWaiting,
} from './kept-value.ts';
import type { Attempt } from './outcome.ts';
import type { SecretVersion } from './secrets.ts';
import type { UpstreamOutcome } from './upstream.ts';

/** Shortest life of a token at which the kept secret takes every next value: Secrets Manager keeps those of a day. */
const SHORTEST_LIFE_SECONDS = 900;

/**
 * Creates the login of a connection whose credential rotates: an answer may give its next value, and the one that was
 * sent is spent then. A value is sent under a lease of the connection's own, whatever the fingerprint of the slot, and
 * the next is kept before anything else is done with the answer.
 */
export function createKeptLogin(dependencies: KeptDependencies): KeptLogin {
  const { store, keys, secrets, keptSecrets, telemetry, clock, broker } = dependencies;
  const createKeep = createKeeper(dependencies);

  return async function login(begun, send) {
    const { connection, leaseId } = begun.attempt;
    let item: KeptRecord | undefined;
    /** The value that the kept secret has; unknown while a value waits. */
    let inSecret: KeptValue | undefined;
    let used: string | undefined;
    try {
      item = await take(begun.attempt);
      const held = await prepare({ ...begun, item });
      inSecret = parseKeptVersion(held.current)?.value;
      return await sendValues(held, send, {
        onKept: (value) => {
          inSecret = value;
        },
        onUsed: (versionId) => {
          used = versionId;
        },
      });
    } catch (error) {
      // All that throws is before sending.
      if (!(error instanceof BrokerError)) throw error;
      return { kind: 'failure', code: error.code, detail: error.detail, backOff: 'not_judged' };
    } finally {
      // If this fails, the lease lapses by itself.
      const ended = changes.endKept({ leaseId, kept: inSecret, used });
      if (item !== undefined) await store.writeKept(connection.name, ended).catch(() => false);
    }
  };

  /** Takes the right to send. Throws `refresh_in_progress` while another has it. */
  async function take({ connection, leaseId }: Attempt): Promise<KeptRecord> {
    const seen = await store.kept(connection.name);
    const now = clock.now();
    if ((seen?.lease?.until ?? 0) > now) throw createBusyError(connection.name);
    const lease = { id: leaseId, until: now + leaseLengthMs(connection) };
    const change = changes.takeKept({ leaseId, leaseUntil: lease.until, seen });
    const isTaken = await store.writeKept(connection.name, change).catch(() => false);
    if (isTaken) return { ...(seen ?? NOTHING_KEPT), lease };
    // A write whose reply was lost may have been made.
    const found = await store.kept(connection.name);
    if (found?.lease?.id !== leaseId) throw createBusyError(connection.name);
    return found;
  }

  /** Reads everything past every cache, and makes a value current that an attempt before left on the way. */
  async function prepare(
    begun: Pick<HeldValues, 'attempt' | 'keptSecret' | 'operators' | 'item'>,
  ): Promise<HeldValues> {
    const { attempt, keptSecret, operators, item } = begun;
    const { connection, slot } = attempt;
    const [latest, versions, key] = await Promise.all([
      secrets.current({ secret: connection.secret, maxAgeMs: 0 }),
      keptSecrets.read(keptSecret),
      keys.generate(slot.connection, 'kept'),
    ]);
    // The version before it was judged; an operator has just replaced it.
    if (latest.versionId !== operators.versionId) throw createBusyError(connection.name);
    const waiting = item.waiting && (await openWaiting(attempt, item.waiting));
    const left = [waiting, versions.next].find((version) => follows(version, versions));
    if (left !== undefined) {
      if (left === waiting) await keptSecrets.write(keptSecret, left);
      const isCurrent = await keptSecrets.promote(keptSecret, left.versionId, versions.current?.versionId);
      if (!isCurrent) throw createBusyError(connection.name);
    }
    const current = left ?? versions.current;
    const previous = parseKeptVersion(left === undefined ? versions.previous : versions.current);
    if (isBehind(item, parseKeptVersion(current), operators)) throw createBehindError(keptSecret);
    const chosen = chooseKept(parseKeptVersion(current), operators, connection.provider);
    return { ...begun, key, current, previous, chosen };
  }

  async function openWaiting({ slot, connection }: Attempt, waiting: WaitingValue): Promise<SecretVersion> {
    const key = await keys.decrypt(slot.connection, waiting.dataKey, 'kept');
    const text = key && openKept(waiting.ciphertext, key, { broker, connection: connection.name });
    const version = text && readWaiting(text);
    if (version !== undefined) return version;
    telemetry.metrics({ connection: connection.name }, { CiphertextRejected: { unit: 'Count', value: 1 } });
    throw new BrokerError(
      'secret_unavailable',
      `The next refresh token of ${connection.name} waits in the table and does not decrypt: its item was changed or copied. Nothing was sent. Consent again, and put the new refresh token into the secret.`,
    );
  }

  async function sendValues(
    held: HeldValues,
    send: SendLogin,
    {
      onKept,
      onUsed,
    }: { readonly onKept: (value: KeptValue | undefined) => void; readonly onUsed: (versionId: string) => void },
  ): Promise<UpstreamOutcome> {
    const { attempt, operators, item, chosen } = held;
    const { connection, leaseId } = attempt;
    const name = nameOfValue(operators, chosen);
    if (item.refused === name) return createSpentFailure(connection.name);
    let hasNext = false;
    const keep = createKeep(held, (value) => {
      hasNext = true;
      onKept(value);
    });
    const outcome = await send(overlay(operators.value, chosen?.value.fields ?? {}), keep);
    if (outcome.kind === 'token' && (outcome.life.seconds ?? Infinity) < SHORTEST_LIFE_SECONDS)
      telemetry.warn(
        'Each token brings a new refresh token, and lives for less than 15 minutes: the kept secret takes no more than one in ten.',
        { connection: connection.name },
      );
    // It stays the newest, and the upstream may have ended the one before for good.
    if (outcome.kind === 'token' && !hasNext && chosen !== undefined) onUsed(chosen.versionId);
    const isRefused = outcome.kind === 'failure' && outcome.code === 'reauthorization_required' && !hasNext;
    if (!isRefused) return outcome;
    const noted = changes.noteRefused({ leaseId, refused: name });
    const isNoted = await store.writeKept(connection.name, noted).catch(() => false);
    const before = fieldsBefore(held);
    const withinMs = graceMs(held);
    // By a clock that is behind, a value may not have been given yet: that is no grace.
    const inGrace = chosen !== undefined && withinMs > 0 && clock.now() - chosen.value.at <= withinMs;
    // Once alone: a later attempt finds what was noted.
    const mayFallBack = isNoted && inGrace && item.used !== chosen.versionId;
    return mayFallBack && before !== undefined ? send(overlay(operators.value, before), keep) : outcome;
  }
}

/** Reports whether the kept secret was read as it was before the last value was kept. */
function isBehind(
  { of, generation }: KeptRecord,
  current: KeptVersion | undefined,
  { versionId }: SecretVersion,
): boolean {
  if (of === undefined) return false;
  return current?.value.of === of ? current.value.generation < generation : of === versionId;
}

/** Finds the values before the chosen ones; the first came from the operator's own. */
function fieldsBefore({ chosen, previous }: HeldValues) {
  if (chosen?.value.generation === 1) return {};
  return previous?.versionId === chosen?.value.after ? previous?.value.fields : undefined;
}

function graceMs({ attempt: { connection } }: HeldValues): number {
  const graces = Object.values(connection.provider.secretFields).flatMap(({ rotates }) => rotates?.graceSeconds ?? []);
  return Math.min(...graces) * 1000;
}

function createBusyError(connection: string): BrokerError {
  return new BrokerError(
    'refresh_in_progress',
    `The refresh token of ${connection} is in use by another attempt, or has just been replaced. Nothing was sent; ask again.`,
  );
}

function createBehindError(keptSecret: string): BrokerError {
  return new BrokerError(
    'secret_unavailable',
    `The secret ${keptSecret} does not hold the refresh token that was kept last. Nothing was sent. It is read again; if this stays, consent again and put the new refresh token into the connection's own secret.`,
  );
}

function createSpentFailure(connection: string): UpstreamOutcome {
  return {
    kind: 'failure',
    code: 'reauthorization_required',
    backOff: 'refused',
    isKnown: true,
    detail: `The upstream of ${connection} refused its refresh token before, so nothing was sent. Consent again, and put the new refresh token into the connection's secret.`,
  };
}
