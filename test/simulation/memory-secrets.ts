import type { Secrets, SecretVersion } from '../../functions/core/mint/secrets.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** The probability that the secrets are unavailable. */
export interface SecretsWeather {
  down: number;
}

const KEPT_FOR_MS = 60_000;

/** The secrets of all connections, by name, with their versions. */
export type SecretVault = ReturnType<typeof createSecretVault>;

/** Creates a vault without secrets. */
export function createSecretVault() {
  const currents = new Map<string, SecretVersion>();
  const versionByValue = new Map<string, string>();
  let versions = 0;

  return {
    /** Makes a new current version; gives its id. */
    rotate(secret: string, value: string): string {
      versions += 1;
      const versionId = `version-${versions}`;
      currents.set(secret, { versionId, value: new Secret(value) });
      versionByValue.set(`${secret} ${value}`, versionId);
      return versionId;
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

function unavailable(detail: string): BrokerError {
  return new BrokerError('secret_unavailable', detail);
}
