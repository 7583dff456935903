import type { Candidates, Secrets, SecretVersion } from '../../functions/core/mint/secrets.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { RecordedLabel } from './happenings.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** Probabilities of the faults of secrets: unavailable, or a label that was moved and the reply lost. */
export interface SecretsWeather {
  down: number;
  replyLost?: number;
}

const KEPT_FOR_MS = 60_000;

/** The secrets of all connections, by name, with their versions. */
export type SecretVault = ReturnType<typeof createSecretVault>;

/** Creates a vault without secrets; `onLabel` hears of each version that gets a label. */
export function createSecretVault(
  onLabel: (secret: string, version: SecretVersion, label: RecordedLabel['label']) => void = () => {},
) {
  const currents = new Map<string, SecretVersion>();
  const candidates = new Map<string, SecretVersion>();
  const versionByValue = new Map<string, string>();
  let versions = 0;

  function create(secret: string, value: string): SecretVersion {
    versions += 1;
    const versionId = `version-${versions}`;
    versionByValue.set(`${secret} ${value}`, versionId);
    return { versionId, value: new Secret(value) };
  }

  function makeCurrent(secret: string, version: SecretVersion): void {
    currents.set(secret, version);
    onLabel(secret, version, 'current');
  }

  return {
    /** Makes a new current version; gives its id. */
    rotate(secret: string, value: string): string {
      const version = create(secret, value);
      makeCurrent(secret, version);
      return version.versionId;
    },
    /** Makes a new version the candidate, and the first one current too, as AWS does; gives its id. */
    propose(secret: string, value: string): string {
      const version = create(secret, value);
      candidates.set(secret, version);
      onLabel(secret, version, 'candidate');
      if (!currents.has(secret)) makeCurrent(secret, version);
      return version.versionId;
    },
    /** Leaves a secret without a value. */
    empty(secret: string): void {
      currents.delete(secret);
    },
    candidate: (secret: string) => candidates.get(secret),
    /** Makes the candidate current if that one still is, as Secrets Manager moves a label. */
    promote(secret: string, versionId: string, from: string): void {
      const candidate = candidates.get(secret);
      if (candidate?.versionId === versionId && currents.get(secret)?.versionId === from)
        makeCurrent(secret, candidate);
    },
    withdraw(secret: string, versionId: string): void {
      if (candidates.get(secret)?.versionId === versionId) candidates.delete(secret);
    },
    current: (secret: string) => currents.get(secret),
    /** The id of the version of a secret that had this value last. */
    versionOf: (secret: string, value: string) => versionByValue.get(`${secret} ${value}`),
  };
}

/** Creates one process's reader of the vault, with a cache of its own that keeps the rule of the port. */
export function createMemorySecrets({
  vault,
  process,
  random,
  weather,
}: {
  readonly vault: SecretVault;
  readonly process: SimulatedProcess;
  readonly random: SeededRandom;
  readonly weather: SecretsWeather;
}): Secrets {
  const kept = new Map<string, { readonly askedAt: number; readonly content: SecretVersion }>();

  return {
    async current({ secret, maxAgeMs, knownVersion }) {
      const askedAt = process.clock.now();
      const copy = kept.get(secret);
      if (copy !== undefined) {
        const age = askedAt - copy.askedAt;
        const isKnown = copy.content.versionId === knownVersion && age <= KEPT_FOR_MS;
        if (age >= 0 && (age < maxAgeMs || isKnown)) return copy.content;
      }
      await process.network();
      if (random.chance(weather.down)) throw unavailable('The simulated secrets are not to be had.');
      const content = vault.current(secret);
      await process.network();
      if (content === undefined) throw unavailable('The simulated secret has no value.');
      kept.set(secret, { askedAt, content });
      return content;
    },
  };
}

/** Creates one process's way to candidates, over a network. */
export function createMemoryCandidates({
  vault,
  process,
  random,
  weather,
}: Parameters<typeof createMemorySecrets>[0]): Candidates {
  async function call<Answer>(work: () => Answer): Promise<Answer> {
    await process.network();
    if (random.chance(weather.down)) throw unavailable('The simulated secrets are not to be had.');
    const answer = work();
    await process.network();
    return answer;
  }

  return {
    find: (secret) => call(() => vault.candidate(secret)),
    async promote(secret, versionId, from) {
      await call(() => vault.promote(secret, versionId, from));
      if (random.chance(weather.replyLost ?? 0)) throw unavailable('The simulated secrets gave no reply.');
      return vault.current(secret)?.versionId === versionId;
    },
    withdraw: (secret, versionId) => call(() => vault.withdraw(secret, versionId)),
  };
}

function unavailable(detail: string): BrokerError {
  return new BrokerError('secret_unavailable', detail);
}
