import type { KeptSecrets, SecretVersion } from '../../functions/core/mint/secrets.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { moveLabel, NOTHING_WRITTEN, putVersion, type SecretState } from '../../local/aws/secret-state.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** Probabilities of the faults of kept secrets: unavailable, or a write whose reply was lost. */
export interface KeptSecretsWeather {
  down: number;
  /** Writes alone are refused. */
  writesDown: number;
  replyLost: number;
}

/** The kept secrets of all connections, by name; every method takes effect at once. */
export interface KeptVault {
  read(secret: string): SecretState;
  write(secret: string, by: string, change: (seen: SecretState) => SecretState): void;
}

const NEXT = 'token-broker-next';

/** Creates a vault of empty secrets; `onWrite` hears of every value that is in it from now on. */
export function createKeptVault(onWrite: (secret: string, by: string, value: string) => void = () => {}): KeptVault {
  const states = new Map<string, SecretState>();
  const read = (secret: string) => states.get(secret) ?? NOTHING_WRITTEN;
  return {
    read,
    write(secret, by, change) {
      const before = read(secret);
      const after = change(before);
      states.set(secret, after);
      for (const [id, { value }] of Object.entries(after.versions)) {
        if (before.versions[id] === undefined) onWrite(secret, by, value);
      }
    },
  };
}

/** Creates one process's way to the kept secrets, over a network. */
export function createMemoryKeptSecrets({
  vault,
  process,
  random,
  weather,
}: {
  readonly vault: KeptVault;
  readonly process: SimulatedProcess;
  readonly random: SeededRandom;
  readonly weather: KeptSecretsWeather;
}): KeptSecrets {
  async function call<Answer>(work: () => Answer, isWrite: boolean): Promise<Answer> {
    await process.network();
    if (random.chance(weather.down) || (isWrite && random.chance(weather.writesDown))) throw unavailable();
    const answer = work();
    await process.network();
    if (isWrite && random.chance(weather.replyLost)) throw unavailable();
    return answer;
  }

  return {
    read: (secret) =>
      call(() => {
        const { versions, labels } = vault.read(secret);
        const by = (label: string): SecretVersion | undefined => {
          const versionId = labels[label] ?? '';
          const version = versions[versionId];
          return version && { versionId, value: new Secret(version.value) };
        };
        return { current: by('AWSCURRENT'), previous: by('AWSPREVIOUS'), next: by(NEXT) };
      }, false),
    write: (secret, { versionId, value }) =>
      call(() => {
        const version = { versionId, value: value.reveal(), createdAt: process.clock.now() };
        vault.write(secret, process.name, (seen) => putVersion(seen, version, [NEXT]));
      }, true),
    promote: (secret, versionId, from) =>
      call(() => {
        try {
          vault.write(secret, process.name, (seen) => moveLabel(seen, { label: 'AWSCURRENT', to: versionId, from }));
        } catch {
          // Another version is current.
        }
        return vault.read(secret).labels['AWSCURRENT'] === versionId;
      }, true),
  };
}

function unavailable(): BrokerError {
  return new BrokerError('secret_unavailable', 'The simulated kept secret is not to be had.');
}
