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

/**
 * The candidate of an operator's secret: a version under a label of the broker's own, which is tried before it becomes
 * current. Every method throws `secret_unavailable`.
 */
export interface Candidates {
  /** Reads past every cache; undefined if no version has the label. */
  find(secret: string): Promise<SecretVersion | undefined>;
  /** Makes a version current if the version that was read still is; reports whether it is current now. */
  promote(secret: string, versionId: string, readVersionId: string): Promise<boolean>;
  /** Takes the label from a version that has been tried. */
  withdraw(secret: string, versionId: string): Promise<void>;
}

/**
 * The versions of a kept secret that count: by Secrets Manager's labels, and by the broker's own for what comes next.
 */
export interface KeptVersions {
  readonly current?: SecretVersion | undefined;
  readonly previous?: SecretVersion | undefined;
  /** Written last; a holder that crashed may have left it before it became current. */
  readonly next?: SecretVersion | undefined;
}

/** The broker's own secret of a connection, for fields that rotate. Every method throws `secret_unavailable`. */
export interface KeptSecrets {
  /** Reads past every cache; a version is read by the label that it has now. */
  read(secret: string): Promise<KeptVersions>;
  /** Writes a version that is not current yet. The same id with the same value twice is one. */
  write(secret: string, version: SecretVersion): Promise<void>;
  /** Makes a version current if the version that was read still is; reports whether it is current now. */
  promote(secret: string, versionId: string, readVersionId: string | undefined): Promise<boolean>;
}
