import type { Connection } from '../core/slot/connection.ts';
import { canRenew } from '../core/slot/next-way.ts';

/**
 * Reports whether `mint` opens data keys of a connection: it renews a token, logs one out, or keeps a refresh token. Where
 * it only logs in it has nothing to open, and may not.
 */
export function isOpenedByMint(connection: Connection): boolean {
  return canRenew(connection) || connection.provider.logout !== undefined || connection.keptSecret !== undefined;
}
