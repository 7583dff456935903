import type { Environment } from '../adapters/aws-client.ts';
import type { Connection } from '../core/connection.ts';
import { required, VARIABLES } from './environment.ts';

/** The name of the `mint` function of a connection: a prefix of the deployment and the connection's isolation group. */
export function mintFunctionNames(environment: Environment): (connection: Connection) => string {
  const prefix = required(environment, VARIABLES.mintPrefix);
  return ({ isolation }) => `${prefix}${isolation}`;
}
