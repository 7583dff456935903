import { createHash } from 'node:crypto';
import type { Environment } from '../adapters/aws/client.ts';
import type { Connection } from '../core/slot/connection.ts';
import { required, VARIABLES } from './environment.ts';

/** Lambda takes no longer name. */
const LONGEST_NAME = 64;
const HASH_DIGITS = 12;

/**
 * The name of the `mint` function of an isolation group: the deployment's prefix and the group. Where that is longer
 * than the 64 characters that Lambda takes, the end gives way to 12 hex digits of the whole name's SHA-256, so that no
 * two groups share a function. What deploys the functions and what invokes them both call this.
 */
export function mintFunctionName(prefix: string, group: string): string {
  const name = `${prefix}${group}`;
  if (name.length <= LONGEST_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${name.slice(0, LONGEST_NAME - HASH_DIGITS - 1)}-${hash}`;
}

/** The name of the `mint` function of a connection, by the prefix in the environment. */
export function mintFunctionNames(environment: Environment): (connection: Connection) => string {
  const prefix = required(environment, VARIABLES.mintPrefix);
  return ({ isolation }) => mintFunctionName(prefix, isolation);
}
