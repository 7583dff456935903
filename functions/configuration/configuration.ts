import type { Connection } from '../core/slot/connection.ts';

/**
 * Who may exchange a workload's JWT for which slots. All of issuer, audience, subject and claims must match.
 * Exactly one of `subject` (equal) and `subjectPattern` (already anchored at both ends, for `new RegExp(…, 'u')`) is there.
 */
export interface Trust {
  readonly issuer: string;
  readonly audience: string;
  readonly subject?: string;
  readonly subjectPattern?: string;
  /** Further claims of the JWT and the one value that each must have. */
  readonly claims: Readonly<Record<string, string | number | boolean>>;
  /** Where the issuer's keys are; absent: found by the issuer's discovery document (OpenID Connect Discovery §4). */
  readonly jwksUri?: string;
  readonly connections: readonly string[];
  /** Subjects of those connections, each as in a path: `system` or a staff PKID. */
  readonly subjects: readonly string[];
}

/** The operator's declaration, checked and with every default filled in. Plain data without a value of any secret. */
export interface Configuration {
  /** By name, without a prototype: a name that nobody declared reads as undefined, `constructor` included. */
  readonly connections: Readonly<Record<string, Connection>>;
  readonly strictAudit: boolean;
  readonly trust: readonly Trust[];
  /** Names of the connections whose declaration leaves `secret` out: the stack makes their secrets, empty. */
  readonly madeSecrets: readonly string[];
  /** What is allowed but unsafe, one sentence each, for synth and for the start. */
  readonly warnings: readonly string[];
}
