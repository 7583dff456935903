import type { Secret } from '../words/secret.ts';

/** The current version of a secret; `value` is the raw secret string. */
export interface SecretVersion {
  readonly versionId: string;
  readonly value: Secret<string>;
}

export interface Secrets {
  /**
   * Returns the current version. A cached copy serves if it is younger than `maxAgeMs`, or is of `knownVersion` and at
   * most a minute old. Throws `secret_unavailable`.
   */
  current(request: {
    readonly secret: string;
    readonly maxAgeMs: number;
    readonly knownVersion?: string | undefined;
  }): Promise<SecretVersion>;
}
