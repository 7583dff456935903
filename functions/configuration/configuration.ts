import type { Connection } from '../core/slot/connection.ts';
import type { Trust } from './trust.ts';

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
