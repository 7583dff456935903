import type { KeptRecord } from '../slot/kept.ts';
import * as changes from '../slot/kept.ts';
import type { DataKey, Keys } from '../slot/keys.ts';
import { sealKept } from '../slot/seal.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import type { Secret } from '../words/secret.ts';
import { type KeptValue, type KeptVersion, originOf, toVersion } from './kept-value.ts';
import type { Attempt } from './outcome.ts';
import type { KeptSecrets, Secrets, SecretVersion } from './secrets.ts';
import type { KeepValues, UpstreamOutcome } from './upstream.ts';

/** Dependencies of logins with a credential that rotates. */
export interface KeptDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly keptSecrets: KeptSecrets;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this broker: part of what a sealed value is bound to. */
  readonly broker: string;
}

/** The values of one connection, while this attempt alone may send them. */
export interface HeldValues {
  readonly attempt: Attempt;
  readonly keptSecret: string;
  readonly operators: SecretVersion;
  readonly item: KeptRecord;
  /** The key for a value that must wait, made before anything is sent. */
  readonly key: DataKey;
  /** The current version of the kept secret, as read: what the next one follows. */
  readonly current: SecretVersion | undefined;
  readonly previous: KeptVersion | undefined;
  /** The values to send. Absent: the operator's own. */
  readonly chosen: KeptVersion | undefined;
}

/** Sends one login with a secret; `keep` takes the next values from its answer. */
export type SendLogin = (secret: Secret<string>, keep?: KeepValues) => Promise<UpstreamOutcome>;

/** Login with a credential that rotates. See `createKeptLogin`. */
export type KeptLogin = (
  begun: Pick<HeldValues, 'attempt' | 'keptSecret' | 'operators'>,
  send: SendLogin,
) => Promise<UpstreamOutcome>;

/** Time between two rounds to keep a value. */
const PAUSE_MS = 100;

/** Hears of each next value: the one that is in the kept secret now, or undefined while it is elsewhere. */
type OnNext = (inSecret: KeptValue | undefined) => void;

/**
 * Creates the keeper of next values: in the kept secret, else sealed in the connection's item, from where the next
 * attempt moves it. It tries both in turn to the end of the window. A value that neither takes is lost, with an alarm.
 */
export function createKeeper({
  store,
  keptSecrets,
  telemetry,
  clock,
  random,
  broker,
}: KeptDependencies): (held: HeldValues, onNext: OnNext) => KeepValues {
  return ({ attempt, keptSecret, operators, key, current, chosen }, onNext) => {
    const { connection, leaseId, deadline } = attempt;
    let last = chosen?.value;
    let parent = current?.versionId;

    /** Writes the version, and makes it current; if the second fails, the next attempt does it. */
    async function putIntoSecret(value: KeptValue): Promise<boolean> {
      const version = toVersion(value);
      try {
        await keptSecrets.write(keptSecret, version);
      } catch {
        return false;
      }
      const isCurrent = await keptSecrets.promote(keptSecret, version.versionId, parent).catch(() => undefined);
      if (isCurrent === true) parent = version.versionId;
      if (isCurrent === false) warn('Another attempt kept a later refresh token; this one does not count.');
      onNext(isCurrent === true ? value : undefined);
      return true;
    }

    async function putIntoItem(value: KeptValue): Promise<boolean> {
      const { of, generation } = value;
      const waiting = sealKept(toVersion(value).value, key, { broker, connection: connection.name }, random);
      const change = changes.putWaiting({ leaseId, of, generation, waiting });
      const isThere = await store.writeKept(connection.name, change).catch(() => false);
      if (!isThere) return false;
      warn('The next refresh token waits in the table, since Secrets Manager does not take it.');
      onNext(undefined);
      return true;
    }

    /** Reports whether another attempt may have begun to send: then this answer is older than that one's. */
    async function isTooLate(): Promise<boolean> {
      if (clock.now() < deadline) return false;
      const found = await store.kept(connection.name).catch(() => undefined);
      return found?.lease?.id !== leaseId;
    }

    function warn(message: string): void {
      telemetry.warn(message, { connection: connection.name });
    }

    return async (next) => {
      const value: KeptValue = {
        of: operators.versionId,
        fields: { ...last?.fields, ...next.reveal() },
        generation: (last?.generation ?? 0) + 1,
        from: originOf(operators, connection.provider),
        after: parent ?? '',
        at: clock.now(),
        by: leaseId,
      };
      last = value;
      if (!(await isTooLate())) {
        do {
          if ((await putIntoSecret(value)) || (await putIntoItem(value))) return;
          await clock.sleep(PAUSE_MS);
        } while (clock.now() < deadline);
      }
      onNext(undefined);
      telemetry.metrics({ connection: connection.name }, { RefreshTokenLost: { unit: 'Count', value: 1 } });
      warn('The next refresh token could not be kept and is lost. If the upstream refuses the old one, consent again.');
    };
  };
}
