import type { Connection } from '../core/slot/connection.ts';
import type { Trust } from './trust.ts';

/** The operator's declaration, checked and with every default filled in. Plain data without a value of any secret. */
export interface Configuration {
  /** The connections by name, without a prototype: an undeclared name reads as undefined, `constructor` included. */
  readonly connections: Readonly<Record<string, Connection>>;
  readonly strictAudit: boolean;
  /** Whom the deployed API lets in, beside those whom the construct and its grants name. */
  readonly callers: readonly string[];
  readonly trust: readonly Trust[];
  /** Names of the connections whose declaration leaves `secret` out: the stack makes their secrets, empty. */
  readonly madeSecrets: readonly string[];
  /** Warnings of what is allowed but unsafe, one sentence each. Shown at synth and at the start. */
  readonly warnings: readonly string[];
}
